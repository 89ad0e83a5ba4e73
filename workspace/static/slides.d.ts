// What the viewer shows: photos of a conversation, or pages of a document.

import type { VisibleAttachment } from "./types.d.ts";

export interface Slide {
  key: string;
  source: string;
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
  noun: string;
  name: string;
  caption: string;
  /** A remark on all of them, such as how many are missing; empty if there is none. */
  note: string;
  download: string;
  downloads: string;
  /** The attachment whose text can be read beside the slides, or instead of them. */
  text: VisibleAttachment | null;
  /** All slides at present. Messages may arrive, or be deleted, while the viewer is open. */
  all: () => Slide[];
  /** Focus the element to which a slide belongs, when the viewer closes. */
  focus: (key: string) => void;
}
