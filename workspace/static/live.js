// The stream of changes. The browser reconnects by itself; when it gives up, we start again.

const AGAIN_AFTER = 3_000;

export function follow(revision, { changed, state }) {
  let since = revision;
  let stream;
  const connect = () => {
    stream = new EventSource(`updates?since=${since}`);
    stream.addEventListener("open", () => state("live"));
    stream.addEventListener("conversations", (event) => {
      const content = JSON.parse(event.data);
      since = content.revision;
      changed(content.conversations);
    });
    stream.addEventListener("error", () => {
      state("away");
      if (stream.readyState === EventSource.CLOSED) setTimeout(connect, AGAIN_AFTER);
    });
  };
  connect();
}
