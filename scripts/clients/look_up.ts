// A program that uses the types generated from the OpenAPI description. `make check-scripts` type-checks it: it stops to
// compile as soon as an answer loses its schema.
import type { components, operations, paths } from "../../build/openapi.js";

type LookedUp = components["schemas"]["LookedUpMessage"];
type Query = NonNullable<paths["/v1/messages"]["get"]["parameters"]["query"]>;
type Sent = operations["sendText"]["responses"][202]["content"]["application/json"];

export async function lookUp(url: string, token: string, query: Query): Promise<string> {
  const address = new URL("/v1/messages", url);
  address.searchParams.set("platform_id", query.platform_id);
  const response = await fetch(address, { headers: { Authorization: `Bearer ${token}` } });
  if (!response.ok) {
    const problem = (await response.json()) as components["schemas"]["ProblemDetails"];
    throw new Error(problem.detail);
  }
  const found = (await response.json()) as LookedUp;
  const taken = found.events.filter((event) => event.state === "taken").map((event) => event.taken_at);
  // @ts-expect-error The schema has no such key.
  found.events[0]?.taken;
  return `${found.state} ${taken.join(" ")} ${found.attachments.map(describe).join(", ")}`;
}

function describe(attachment: LookedUp["attachments"][number]): string {
  // The state decides which renditions there are.
  return attachment.state === "ready" ? Object.keys(attachment.renditions).join("+") : (attachment.reason ?? "pending");
}

export const idOf = (sent: Sent): string => sent.id;
