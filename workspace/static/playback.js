// @ts-check
// What all players share: one plays at a time, sound has one speed, and an expired link is replaced.

const SPEEDS = [1, 1.5, 2];
const SPEED_KEY = "speed";

// A link is valid for some minutes. If a new link fails this soon, expiry is not the reason.
const RENEW_AFTER = 5000;

/** @type {WeakMap<HTMLMediaElement, number>} */
const renewed = new WeakMap();

let speed = SPEEDS.find((one) => String(one) === sessionStorage.getItem(SPEED_KEY)) ?? 1;

export function currentSpeed() {
  return speed;
}

// The next of the speeds, kept until the tab is closed.
export function changeSpeed() {
  speed = SPEEDS[SPEEDS.indexOf(speed) + 1] ?? 1;
  sessionStorage.setItem(SPEED_KEY, String(speed));
  for (const audio of document.querySelectorAll("audio")) setSpeed(audio);
}

/** @param {HTMLAudioElement} audio */
export function setSpeed(audio) {
  // Loading resets the rate to the default one.
  audio.defaultPlaybackRate = speed;
  audio.playbackRate = speed;
}

/**
 * The link has probably expired. Continue from the same place with a fresh link.
 * @param {HTMLMediaElement} media
 * @param {string} source
 * @param {() => void} fail called if a fresh link does not help
 */
export function renewLink(media, source, fail) {
  if (Date.now() - (renewed.get(media) ?? 0) < RENEW_AFTER) {
    fail();
    return;
  }
  renewed.set(media, Date.now());
  const at = media.currentTime;
  media.src = `${source}?again=${Date.now()}`;
  media.addEventListener("loadedmetadata", () => { media.currentTime = at; }, { once: true });
  media.play().catch(fail);
}

// Events of media do not bubble, but they can be captured.
document.addEventListener("play", ({ target }) => {
  for (const media of document.querySelectorAll("audio, video")) {
    if (media !== target && media instanceof HTMLMediaElement) media.pause();
  }
}, true);
