// Types of attachments, as the API describes them.

export type Rendition = "thumbnail" | "preview" | "poster" | "video" | "audio" | "document" | "text" | "original";

/** Agents who are not assigned see only that there is an attachment. */
export type Attachment = HiddenAttachment | VisibleAttachment;

interface AnyAttachment {
  id: string;
  kind: string;
  line: string;
  state: "pending" | "ready" | "rejected" | "failed";
  words: string;
  retry: boolean;
}

export interface HiddenAttachment extends AnyAttachment {
  visible: false;
}

export interface VisibleAttachment extends AnyAttachment {
  visible: true;
  name: string | null;
  width: number | null;
  height: number | null;
  seconds: number | null;
  length: string | null;
  /** The size of what a download contains. */
  size: string | null;
  /** Type and size of the file that the customer sent. */
  file: string | null;
  renditions: Rendition[];
  /** A sound that was recorded as a message. */
  voice: boolean;
  complete: boolean;
  /** The loudness of equal parts of a sound, from 0 to 255. */
  waveform: number[];
  /** The pages that can be shown, and those that the document has. */
  pages: number | null;
  pages_total: number | null;
  /** The text of a document contains parts that its pages do not show. */
  text_differs: boolean;
  charset_guessed: boolean;
  /** The charset that was guessed, and others that the sender may have meant. */
  charsets: string[];
  location: MapLocation | null;
  contacts: Card[];
}

/** Every part is optional, because senders may leave it out. */
export interface MapLocation {
  name?: string | null;
  address?: string | null;
  latitude?: string | null;
  longitude?: string | null;
}

export interface Card {
  name: string;
  fields: CardField[];
}

export interface CardField {
  label: string;
  value: string;
  /** Whether the card has a button that copies the value. */
  copy: boolean;
}
