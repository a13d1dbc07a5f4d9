// One event stream that is asked for again when it is lost, and says why it stands still when it is refused.

const RETRY_FIRST_MS = 2000;
const RETRY_MAX_MS = 60000;

// told: take(news), lost(), back(), over(status) when signed out or not allowed any more, elsewhere() when a page that
// was opened later took the place.
export class EventStream {
  constructor(url, told) {
    this.url = url;
    this.told = told;
    this.retryMs = RETRY_FIRST_MS;
    this.gaveWay = this.wasLost = false;
    this.open();
    addEventListener("pagehide", () => this.close());
    addEventListener("pageshow", (event) => { if (event.persisted) this.open(); });
    document.addEventListener("visibilitychange", () => { if (this.gaveWay && !document.hidden) this.open(); });
  }

  get connected() { return this.source.readyState === EventSource.OPEN; }

  close() {
    clearTimeout(this.retry);
    this.source.close();
  }

  open() {
    this.gaveWay = false;
    this.source = new EventSource(this.url);
    this.source.onmessage = (event) => {
      const news = JSON.parse(event.data);
      if (news.elsewhere) this.giveWay(); else this.told.take(news);
    };
    this.source.onopen = () => {
      this.retryMs = RETRY_FIRST_MS;
      this.told.back(this.wasLost);
      this.wasLost = false;
    };
    this.source.onerror = () => {
      this.wasLost = true;
      this.told.lost();
      // A refused stream is not asked for again by the browser itself.
      if (this.source.readyState === EventSource.CLOSED) this.askWhy();
    };
  }

  // An event source does not tell why it was refused. Signed out: say so and stop. Else: ask again, ever more seldom.
  async askWhy() {
    let status = 0;
    try { status = (await fetch(this.url, { method: "HEAD", headers: { Accept: "text/event-stream" } })).status; } catch { status = 0; }
    if (status === 401 || status === 403 || status === 404) { this.told.over(status); return; }
    this.retry = setTimeout(() => this.open(), this.retryMs);
    this.retryMs = Math.min(2 * this.retryMs, RETRY_MAX_MS);
  }

  // So many pages of one person are open that this one had to make room; it asks again when somebody looks at it.
  giveWay() {
    this.gaveWay = this.wasLost = true;
    this.close();
    this.told.elsewhere();
  }
}
