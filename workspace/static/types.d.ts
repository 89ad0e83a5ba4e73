// What passes between the server and the scripts, and what the scripts pass to one another.

/** Milliseconds since 1970 where the server says when something was. */
export type Timestamp = number | Date;

export type Permission = "talk" | "oversee" | "operate";

/** Who is looking. `agents` are those to whom a conversation can be handed over. */
export interface Me {
  agent: string;
  may: Permission[];
  csrf: string;
  name: string;
  demo: boolean;
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
  sequence: number;
  last: { from: string; line: string };
  active_at: number;
  typing_until: number;
  revision: number;
}

export interface ConversationPage {
  revision: number;
  conversations: Conversation[];
}

/** What a channel can do with an answer. */
export interface ChannelAbilities {
  quotes: boolean;
  typing: boolean;
}

export interface OpenedConversation extends LinePage {
  conversation: Conversation;
  trouble: string | null;
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
  revision: number;
}

/** A line that nobody wrote. */
export interface Notice extends AnyLine {
  direction: "notice";
  text: string | null;
}

export interface Message extends AnyLine {
  direction: "in" | "out";
  text: string | null;
  deleted: boolean;
  edited: boolean;
  forwarded: boolean;
  choice: string | null;
  reply_to: QuotedLine | null;
  reactions: string[];
  status: string | null;
  status_words: string | null;
  reason: string | null;
  /** Of what was written here: the key under which the gateway sends it once. */
  key: string | null;
  attachments: Attachment[];
}

/** The line that a message answers. It has no id and no position where it is not known here. */
export interface QuotedLine {
  id: string | null;
  position: number | null;
  line: string;
}

/** What an answer quotes, as the answer box shows it. */
export interface Quote {
  id: string;
  line: string;
}

export type Rendition = "thumbnail" | "preview" | "poster" | "video";

/** Agents who are not assigned learn only that there is one. */
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
  length: string | null;
  size: string | null;
  renditions: Rendition[];
  location: MapLocation | null;
  contacts: ContactCard[];
}

/** Platforms leave out what the sender left out. */
export interface MapLocation {
  name?: string | null;
  address?: string | null;
  latitude?: string | null;
  longitude?: string | null;
}

export interface ContactCard {
  name: string;
  reach: string[];
}

/** An entry of the audit trail. `gone` says that its conversation has been erased. */
export interface AuditEntry {
  number: number;
  at: number;
  agent: string;
  did: string;
  kind: string | null;
  conversation: string | null;
  gone: boolean;
  consumer: string;
  attachment: string | null;
  detail: string | null;
}

export interface AuditPage {
  entries: AuditEntry[];
  agents: string[];
}

/** A part of the operators' page, or why it is missing. */
export type Part<Content> = { content: Content; trouble?: never } | { trouble: string; content?: never };

export interface OperationsReport {
  health: Part<Check[]>;
  channels: Part<Channel[]>;
  failures: Part<Failure[]>;
  numbers: Part<MetricFamily[]>;
  notices: AccountNotice[];
}

export interface Check {
  name: string;
  state: string;
  detail?: string;
}

/** A channel as the gateway describes it; older gateways leave out what they do not know. */
export interface Channel {
  connector: string;
  platform: string;
  label?: string;
  features: Record<string, string>;
  notes?: Record<string, string>;
  health?: ChannelHealth;
}

export interface ChannelHealth {
  state: string;
  account: string | null;
  detail: string | null;
  checked_at: string | null;
}

export interface Failure {
  id: string;
  at: string;
  kind: string;
  connector?: string | null;
  reason?: string | null;
  detail?: string | null;
  can_retry: boolean;
}

export interface RetryResult {
  id: string;
  status: string;
  detail?: string;
}

export interface MetricFamily {
  name: string;
  help: string;
  type: string;
  samples: MetricSample[];
}

export interface MetricSample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

export interface AccountNotice {
  at: number;
  connector: string | null;
  kind: string | null;
  text: string | null;
}

/** What can be asked for, and what is answered. */
export interface GetResponses {
  "api/me": Me;
  "api/operations": OperationsReport;
  [audit: `api/audit?${string}`]: AuditPage;
  [conversations: `api/conversations?${string}`]: ConversationPage;
  [lines: `api/conversations/${string}/lines?${string}`]: LinePage;
  [progress: `attachments/${string}/progress`]: { words: string };
}

/** What can be done: what the server wants to know for it, and what it answers. */
export interface PostRequests {
  "sign-out": Endpoint;
  [opened: `api/conversations/${string}/opened`]: Endpoint<Empty, OpenedConversation>;
  [read: `api/conversations/${string}/read`]: Endpoint<{ sequence: number }>;
  [agents: `api/conversations/${string}/agents`]: Endpoint<{ do: AssignmentAction; to: string }>;
  [messages: `api/conversations/${string}/messages`]: Endpoint<Reply, { id: string; status: string }>;
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

/** Shows what went wrong; null when nothing does any more. */
export type ShowError = (error: unknown) => void;
