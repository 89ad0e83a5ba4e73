// Calls to the workspace's own server. Addresses are relative, so the page works below any path.

export class Refused extends Error {
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

export async function ask(path) {
  return answered(await reached(path, { headers: { Accept: "application/json" } }));
}

export async function tell(path, content = {}) {
  return answered(await reached(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify(content),
  }));
}

async function reached(path, options) {
  try {
    return await fetch(path, { ...options, credentials: "same-origin" });
  } catch (trouble) {
    throw new Refused(0, "The workspace cannot be reached. Trying again …", { cause: trouble });
  }
}

async function answered(response) {
  if (response.status === 204) return null;
  const content = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(response.status, content.error ?? `The workspace answered ${response.status}.`);
  return content;
}
