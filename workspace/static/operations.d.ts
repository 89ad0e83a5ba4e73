// Types of the operators' report, as the API describes it.

/** A part of the operators' page, or the reason why it is missing. */
export type Part<Content> = { content: Content; trouble?: never } | { trouble: string; content?: never }; // allow-word

export interface OperationsReport {
  problems: Problem[];
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

/** A channel as the gateway describes it. Older gateways leave out newer fields. */
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
  code?: string | null;
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

/** What an operator has to know first. `since` is null if it is only known when this page noticed it. */
export interface Problem {
  key: string;
  urgent: boolean;
  what: string;
  todo: string;
  since: number | null;
  noticed: number;
}
