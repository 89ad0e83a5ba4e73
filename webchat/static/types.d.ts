// The shapes of the server's answers, as webchat/shapes.py declares them, of what the page keeps, and of its parts.

import type { Composer } from "./composer.js";
import type { Transcript } from "./transcript.js";

export interface ConsumerView {
  id: string;
  name: string | null;
  verified: boolean;
}

export interface LimitsView {
  text: number;
  file_bytes: number;
  part_bytes: number;
  files: number;
  at_once: number;
  uploads: boolean;
}

export interface SessionView {
  consumer: ConsumerView;
  limits: LimitsView;
  accept: string[];
  words: string;
  token?: string;
  resume?: string;
}

export interface AttachmentView {
  id: string;
  upload: string;
  kind: string;
  media_type: string;
  name: string | null;
  bytes: number;
  state: "checking" | "ready" | "rejected" | "failed";
  reason: string | null;
  width: number | null;
  height: number | null;
  seconds: number | null;
  renditions: string[];
}

export interface MessageView {
  id: string;
  direction: "in" | "out";
  position: number;
  text: string | null;
  reply_to: string | null;
  state: "sent" | "received" | "delivered" | "read" | "failed";
  at: string;
  attachments: AttachmentView[];
}

export interface ConversationView {
  state: "open" | "closed";
  uploads: boolean;
}

export interface HistoryView {
  messages: MessageView[];
  before: number | null;
  conversation: ConversationView;
  revision: number;
}

export interface ChangesView {
  revision: number;
  messages?: MessageView[];
  conversation?: ConversationView;
  typing?: boolean;
  reset?: boolean;
}

/** A file that waits to be sent, or that this device keeps to show it. */
export interface LocalFile {
  id: string;
  name: string;
  type: string;
  bytes: number;
  seconds: number | null;
  blob: Blob;
}

/** A message in the queue. Its id and those of its files never change, so repeats are harmless. */
export interface Queued {
  id: string;
  consumer: string;
  text: string;
  files: LocalFile[];
  at: number;
  state: "waiting" | "sending" | "failed" | "refused";
  reason: string | null;
  tries: number;
  progress: number;
}

/** A file in the transcript: of this device, of the server, or of both. */
export interface ShownFile {
  key: string;
  name: string | null;
  type: string;
  bytes: number;
  seconds: number | null;
  width: number | null;
  height: number | null;
  local: Blob | null;
  state: AttachmentView["state"] | "local";
  reason: string | null;
  id: string | null;
  renditions: string[];
}

/** A message in the transcript. A queued one has no position yet. */
export interface Line {
  id: string;
  own: boolean;
  text: string;
  /** The message that is answered. */
  quote: string | null;
  at: number;
  position: number | null;
  /** `offline`: it waits for the network. */
  state: Queued["state"] | MessageView["state"] | "offline";
  reason: string | null;
  progress: number;
  files: ShownFile[];
}

/** What a press in a message asks for. */
export interface Actions {
  retry: (line: Line) => void;
  cancel: (line: Line) => void;
  /** Choose another file in its place. */
  another: (line: Line) => void;
  edit: (line: Line) => void;
  redraw: (line: Line) => void;
  view: (key: string) => void;
}

export interface Parts {
  transcript: Transcript;
  composer: Composer;
  /** Forget which lines were seen. */
  forget: () => void;
  /** Called when the server no longer knows the session. */
  ended: () => void;
}

export interface Follower {
  /** The name of the tabs' lock and channel. */
  name: string;
  since: number;
  changed: (changes: ChangesView) => void;
  state: (state: "live" | "away") => void;
}
