// Types of the audit log, as the API describes it.

/** An entry of the audit log. `gone` means that its conversation has been erased. */
export interface AuditEntry {
  number: number;
  at: number;
  agent: string;
  did: string;
  kind: string | null;
  /** The name of the file. */
  name: string | null;
  conversation: string | null;
  gone: boolean;
  consumer: string;
  /** The conversation's id where its name is not known: another core has it. */
  reference: string | null;
  attachment: string | null;
  /** Whether the attachment can still be seen. */
  shown: boolean;
  detail: string | null;
}

export interface AuditPage {
  entries: AuditEntry[];
  agents: string[];
}
