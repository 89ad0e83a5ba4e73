// @ts-check
// A recording that ends by itself before it is too large to send. Times are in seconds.

/** @import { KeptRecording } from "./keeping.js" */

// Bare "video/mp4" gives VP9 and Opus in Chromium, which costs the gateway a multiple. Some Chromium has no AAC.
// Firefox needs both codecs by name. The constructor may still refuse what is said to be supported.
const TYPES = [
  "video/mp4;codecs=\"avc1.42E01F,mp4a.40.2\"", "video/mp4;codecs=\"avc1.42E01F,opus\"", "video/mp4;codecs=avc1",
  "video/webm;codecs=vp8,opus", "video/webm", "video/mp4",
];
const VIDEO_RATE = 1_500_000;
const AUDIO_RATE = 64_000;
// MP4 parts come at key frames only, and are counted as they come: what is still inside needs room.
const SHARE_OF_LIMIT = 0.92;
const PART = 1000;

/** The types that this browser says it records, the best first. */
export function supportedTypes() {
  return "MediaRecorder" in window ? TYPES.filter((type) => MediaRecorder.isTypeSupported(type)) : [];
}

export class Recording {
  #bytes = 0;
  #countedAt = 0;
  #begun = 0;
  #ended = 0;
  #timer = 0;
  #recorder;

  /**
   * Throws if this browser records no type at all.
   * @param {MediaStream} stream
   * @param {number} limit bytes
   * @param {KeptRecording} kept takes the parts as they come
   */
  constructor(stream, limit, kept) {
    this.kept = kept;
    this.room = limit * SHARE_OF_LIMIT;
    this.#recorder = makeRecorder(stream);
    this.#recorder.addEventListener("dataavailable", ({ data }) => this.#count(data));
    this.#recorder.addEventListener("error", () => this.stop());
    // Also when the camera is unplugged or a call comes in: what was recorded until then is kept.
    /** The whole recording; null if nothing came. @type {Promise<Blob | null>} */
    this.result = new Promise((resolve) => {
      this.#recorder.addEventListener("stop", () => resolve(this.#finish()));
    });
  }

  get type() {
    return this.#recorder.mimeType;
  }

  start() {
    this.#recorder.start(PART);
    // `onstart` comes up to a second late, while the video has everything from here on.
    this.#begun = performance.now();
    this.#countedAt = this.#begun;
    this.#timer = setInterval(() => this.left <= 0 && this.stop(), 100);
  }

  stop() {
    if (this.#recorder.state !== "inactive") this.#recorder.stop();
    this.#ended ||= performance.now();
    clearInterval(this.#timer);
  }

  get seconds() {
    return this.#begun ? ((this.#ended || performance.now()) - this.#begun) / 1000 : 0;
  }

  /** How much longer it may take, at the rate that is nominal or was measured, whichever is higher. */
  get left() {
    const counted = (this.#countedAt - this.#begun) / 1000;
    const nominal = (VIDEO_RATE + AUDIO_RATE) / 8;
    const rate = Math.max(nominal, counted > 2 ? this.#bytes / counted : 0);
    const since = (performance.now() - this.#countedAt) / 1000;
    return (this.room - this.#bytes) / rate - since;
  }

  /** @param {Blob} data */
  #count(data) {
    if (!data.size) return;
    this.kept.add(data, this.seconds);
    this.#bytes += data.size;
    this.#countedAt = performance.now();
  }

  #finish() {
    this.stop();
    const [type = "video/mp4"] = this.#recorder.mimeType.split(";");
    return this.#bytes ? this.kept.whole(type) : null;
  }
}

/** @param {MediaStream} stream */
function makeRecorder(stream) {
  const rates = { videoBitsPerSecond: VIDEO_RATE, audioBitsPerSecond: AUDIO_RATE, videoKeyFrameIntervalDuration: PART };
  for (const mimeType of supportedTypes()) {
    try {
      return new MediaRecorder(stream, { mimeType, ...rates });
    } catch {
      // The next one.
    }
  }
  return new MediaRecorder(stream, rates);
}
