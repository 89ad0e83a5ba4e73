// Types of the API's requests and responses, and types that scripts share.

import type { Attachment } from "./attachments.d.ts";
import type { AuditPage } from "./audit.d.ts";
import type { OperationsReport, RetryResult } from "./operations.d.ts";

export type * from "./attachments.d.ts";
export type * from "./audit.d.ts";
export type * from "./operations.d.ts";

/** Milliseconds since 1970, as the server sends times, or a Date. */
export type Timestamp = number | Date;

export type Permission = "talk" | "oversee" | "operate";

/** The signed-in account. A conversation can be handed over to `agents`. */
export interface Me {
  agent: string;
  may: Permission[];
  csrf: string;
  name: string;
  demo: boolean;
  /** Whether a wide page opens the conversation of the newest photo while nothing is chosen. */
  opens_photo: boolean;
  agents: string[];
}

/** A conversation as the list shows it. */
export interface Conversation {
  id: string;
  name: string;
  consumer: string;
  connector: string;
  platform: string;
  platform_name: string;
  open: boolean;
  agents: string[];
  assigned: boolean;
  unread: number;
  /** Answers that did not arrive and that the agent has not seen yet. */
  undelivered: number;
  sequence: number;
  last: { from: string; line: string };
  active_at: number;
  /** When the customer wrote what has no answer yet; null if nobody waits. */
  waiting_since: number | null;
  /** Sorts conversations by waiting time, and those in which nobody waits after the others. */
  queue_place: number;
  typing_until: number;
  /** When the platform stops accepting replies; null if it never does, or if that is not known. */
  reply_until: number | null;
  opted_out: boolean;
  /** The conversation that has its lines now, if it was merged. Only the stream of changes contains such ones. */
  merged_into: string | null;
  revision: number;
}

export interface ConversationPage extends ListPage {
  /** The connectors from which there are conversations. */
  channels: string[];
}

interface ListPage {
  revision: number;
  conversations: Conversation[];
  counts: Counts;
  undelivered: Undelivered[];
}

/** What changed. Conversations that were erased, or that the agent may no longer read, are `gone`. */
export interface Changes extends ListPage {
  gone: string[];
}

/** The agent's conversations with unread messages, and the open ones that nobody has. */
export interface Counts {
  mine: number;
  free: number;
}

export type Doing = "reading" | "typing";

/** What the other agents do, by conversation and by agent. */
export type Presence = Record<string, Record<string, Doing>>;

/** A conversation with answers that did not arrive and that the agent has not seen yet. */
export interface Undelivered {
  id: string;
  name: string;
  count: number;
}

/** What a channel supports for replies. */
export interface ChannelAbilities {
  quotes: boolean;
  typing: boolean;
}

export interface OpenedConversation extends LinePage {
  conversation: Conversation;
  /** The conversations that were merged into this one. */
  merged: string[];
  trouble: string | null; // allow-word
  can: ChannelAbilities;
}

/** A line of the transcript. */
export type Line = Notice | Message;

export interface LinePage {
  revision: number;
  lines: Line[];
}

interface AnyLine {
  position: number;
  id: string;
  conversation: string;
  sequence: number;
  author: string | null;
  at: number;
  /** Lines are in the order of this time, then of the sequence, then of the position. */
  placed_at: number;
  revision: number;
}

/** A line that is not a message. */
export interface Notice extends AnyLine {
  direction: "notice";
  text: string | null;
  /** What the agent wrote for the next one. */
  note: string | null;
}

export interface Message extends AnyLine {
  direction: "in" | "out";
  text: string | null;
  deleted: boolean;
  /** An old message that the platform delivered afterwards. */
  history: boolean;
  unread: boolean;
  edited: boolean;
  forwarded: boolean;
  choice: string | null;
  reply_to: QuotedLine | null;
  reactions: string[];
  status: string | null;
  status_words: string | null;
  reason: string | null;
  /** The idempotency key of a message that was sent from the workspace. */
  key: string | null;
  /** Whether it is an answer that did not arrive, or may not have. */
  failed: boolean;
  /** When, and by whom, it was last sent again. */
  resent_at: number | null;
  resent_by: string | null;
  attachments: Attachment[];
}

/** Where an attachment comes from: the message's time and text. */
export interface Origin {
  at: number;
  text: string | null;
}

/** A photo, video, sound or document, with the message and the conversation to which it belongs. */
export interface MediaItem extends Origin {
  attachment: Attachment;
  conversation: string;
  customer: string;
  position: number;
}

/** Media of a conversation: `first` of `total` come before these. */
export interface MediaWindow {
  items: MediaItem[];
  first: number;
  total: number;
}

export interface MediaPage {
  revision: number;
  items: MediaItem[];
  /** Where the next page begins. */
  next: string | null;
}

/** The line that a message quotes. `id` and `position` are null if the line is not known here. */
export interface QuotedLine {
  id: string | null;
  position: number | null;
  line: string;
}

/** The quote of a reply, as the reply box shows it. */
export interface Quote {
  id: string;
  line: string;
}

/** What is in the reply box. `tried` is the text that was sent without an answer, and its idempotency key. */
export interface Draft {
  text: string;
  quoted: Quote | null;
  tried: { text: string; key: string } | null;
}

export interface StoredDraft extends Draft {
  at: number;
}

/** GET requests by path, with their responses. */
export interface GetResponses {
  "api/me": Me;
  "api/operations": OperationsReport;
  [audit: `api/audit?${string}`]: AuditPage;
  [conversations: `api/conversations?${string}`]: ConversationPage;
  [lines: `api/conversations/${string}/lines?${string}`]: LinePage;
  [window: `api/conversations/${string}/media?around=${string}`]: MediaWindow;
  [media: `api/media?${string}`]: MediaPage;
  [shown: `attachments/${string}/shown`]: null;
  [progress: `attachments/${string}/progress`]: { words: string };
}

/** POST requests by path, with their content and their response. */
export interface PostRequests {
  "api/language": { content: { language: string }; answer: null };
  "sign-out": Endpoint;
  [opened: `api/conversations/${string}/opened`]: Endpoint<{ again: boolean }, OpenedConversation>;
  [read: `api/conversations/${string}/read`]: Endpoint<{ sequence: number; revision: number; undelivered: number[] }>;
  [agents: `api/conversations/${string}/agents`]: Endpoint<{ do: AssignmentAction; to: string; note: string }>;
  [messages: `api/conversations/${string}/messages`]: Endpoint<Reply, { id: string; status: string }>;
  [again: `api/conversations/${string}/messages/${string}/again`]: Endpoint<{ id: string }, { id: string; status: string }>;
  [presence: `api/conversations/${string}/presence`]: Endpoint<{ doing: Doing | "away" }>;
  [typing: `api/conversations/${string}/typing`]: Endpoint<{ typing: boolean }>;
  [erase: `api/conversations/${string}/erase`]: Endpoint;
  [attachment: `attachments/${string}/retry`]: Endpoint;
  [failure: `api/failures/${string}/retry`]: Endpoint<Empty, { results?: RetryResult[] }>;
}

interface Endpoint<Content = Empty, Answer = null> {
  content: Content;
  answer: Answer;
}

type Empty = Record<string, never>;

export type AssignmentAction = "take" | "hand_over" | "leave" | "close" | "reopen";

export interface Reply {
  text: string;
  key: string;
  reply_to: string | null;
}

/** Shows an error; null hides it. */
export type ShowError = (error: unknown) => void;
