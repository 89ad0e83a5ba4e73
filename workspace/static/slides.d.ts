// What the viewer shows: all media of a conversation, or pages of a document.

import type { VisibleAttachment } from "./types.d.ts";

export interface Slide {
  key: string;
  /** The address of the picture. */
  source: string;
  /** What is shown in place of a picture: a video, a sound, or a document that can be opened. */
  content?: () => HTMLElement;
  alt: string;
  name: string;
  caption: string;
  download: string;
  downloads: string;
}

export interface Slides {
  /** The name of the viewer while it shows these. */
  label: string;
  /** What one of them is called. */
  noun: "file" | "page";
  name: string;
  caption: string;
  /** A remark on all of them, such as how many are missing; empty if there is none. */
  note: string;
  download: string;
  downloads: string;
  /** The attachment whose text can be read beside the slides, or instead of them. */
  text: VisibleAttachment | null;
  /** The slides that are loaded, without gaps. */
  all: () => Slide[];
  /** How many come before the loaded ones, and how many there are; null while that is not known. */
  extent: () => { first: number; total: number } | null;
  /** Load what is around a slide, or at the `first` or `last` one, as it is now. Fails if the agent may not see it any more. */
  load: (key: string) => Promise<void>;
  /** Focus the element to which a slide belongs, when the viewer closes. */
  focus: (key: string) => void;
}
