// Types for the elements in the templates, and for elements that scripts create.

type Listener = (event: Event) => void;

/** Attributes that are null, undefined or false are left out. Those that begin with `on` are listeners. */
export interface Attributes {
  [name: string]: string | number | boolean | null | undefined | Listener;
  [listener: `on${string}`]: Listener;
}

export type Child = Node | string | null | undefined;

/** The tags of the elements that have an id in the templates. */
export interface Elements {
  "account-menu": "footer";
  actions: "div";
  agent: "select";
  "all-conversations": "a";
  announcer: "p";
  back: "a";
  brand: "h1" | "span";
  channels: "div";
  chart: "div";
  composer: "form";
  "composer-hint": "p";
  "composer-note": "p";
  "composer-quote": "div";
  "composer-quoted": "bdi";
  "composer-send": "button";
  "composer-unquote": "button";
  conversation: "section";
  conversations: "ol";
  "count-free": "span";
  "count-mine": "span";
  customer: "input";
  earlier: "div";
  entries: "tbody";
  erase: "dialog";
  "erase-cancel": "button";
  "erase-form": "form";
  error: "div";
  "error-retry": "button";
  "error-text": "p";
  export: "a";
  failures: "div";
  files: "ol";
  filters: "form";
  frame: "main";
  glimpses: "input";
  "hand-over": "dialog";
  "hand-over-cancel": "button";
  "hand-over-form": "form";
  "hand-over-note": "textarea";
  "hand-over-to": "select";
  "head-avatar": "span";
  "head-detail": "p";
  "head-files": "a";
  "head-name": "h1";
  health: "div";
  kind: "select";
  lines: "ol";
  links: "nav";
  "list-channel": "select";
  "list-channel-field": "label";
  "list-empty": "p";
  "list-end": "div";
  "list-order": "select";
  "list-scroll": "nav";
  "list-state": "select";
  live: "span";
  more: "button";
  newer: "button";
  nothing: "p";
  "nothing-open": "div";
  notify: "button";
  notices: "div";
  "notices-section": "section";
  numbers: "div";
  open: "div";
  presence: "p";
  problems: "div";
  "retry-all": "button";
  scroll: "div";
  search: "input";
  shortcuts: "dialog";
  "shortcuts-open": "button";
  since: "input";
  tabs: "div";
  text: "textarea";
  typing: "p";
  undelivered: "p";
  until: "input";
  viewer: "dialog";
  "viewer-caption": "p";
  "viewer-close": "button";
  "viewer-content": "div";
  "viewer-count": "span";
  "viewer-download": "a";
  "viewer-larger": "button";
  "viewer-message": "p";
  "viewer-name": "bdi";
  "viewer-next": "button";
  "viewer-note": "p";
  "viewer-photo": "img";
  "viewer-previous": "button";
  "viewer-scale": "button";
  "viewer-smaller": "button";
  "viewer-stage": "div";
  "viewer-text": "section";
  "viewer-text-body": "div";
  "viewer-text-charset": "label";
  "viewer-text-charsets": "select";
  "viewer-text-note": "p";
  "viewer-text-toggle": "button";
  "viewer-turn": "button";
  views: "input";
}
