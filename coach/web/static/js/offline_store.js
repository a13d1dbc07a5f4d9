// What this browser keeps for the time without a network: answers that wait, and what is known of the copies. Read by
// pages and by the service worker alike, so it is a plain script and not a module.
"use strict";

self.backstopOffline = (() => {
  const NAME = "backstop";
  // An answer that nobody could send for so long is told to the person and not sent any more.
  const KEPT_MS = 7 * 24 * 3600 * 1000;
  // The network may be there and lead nowhere: a try is given up after this, and the same key is tried again.
  const TRY_MS = 20000;
  let opened = null;

  function open() {
    opened ??= new Promise((resolve, reject) => {
      const asked = indexedDB.open(NAME, 1);
      asked.onupgradeneeded = () => {
        asked.result.createObjectStore("answers", { keyPath: "id", autoIncrement: true });
        asked.result.createObjectStore("facts");
      };
      asked.onsuccess = () => {
        // Another page that brings a newer layout is not kept waiting by this one.
        asked.result.onversionchange = () => { asked.result.close(); opened = null; };
        resolve(asked.result);
      };
      asked.onerror = () => { opened = null; reject(asked.error); };
    });
    return opened;
  }

  // One transaction; resolves once it is on the disk, not merely asked for.
  async function within(store, mode, work) {
    const database = await open();
    return new Promise((resolve, reject) => {
      const tx = database.transaction(store, mode, { durability: "strict" });
      const asked = work(tx.objectStore(store));
      tx.oncomplete = () => resolve(asked?.result);
      tx.onabort = tx.onerror = () => reject(tx.error);
    });
  }

  const fact = (name) => within("facts", "readonly", (facts) => facts.get(name));
  const setFact = (name, value) => within("facts", "readwrite", (facts) => facts.put(value, name));
  const dropFact = (name) => within("facts", "readwrite", (facts) => facts.delete(name));
  const answers = () => within("answers", "readonly", (kept) => kept.getAll());
  const drop = (id) => within("answers", "readwrite", (kept) => kept.delete(id));
  const change = (answer) => within("answers", "readwrite", (kept) => kept.put(answer));

  // answer: { who, path, fields: [[name, value], …] }. The key is made here, once for the life of the answer.
  function add(answer) {
    const kept = { ...answer, key: crypto.randomUUID(), told_at: new Date().toISOString(), refused: null };
    return within("answers", "readwrite", (store) => store.add(kept));
  }

  // One sender at a time, of all pages and the worker: a second one waits for its turn and finds what is left.
  function alone(name, work) {
    return navigator.locks ? navigator.locks.request(`backstop-${name}`, work) : work();
  }

  // Ask who is signed in here and for a token to send with. Throws where there is no network.
  async function passport() {
    const answer = await fetch("/offline.json", { headers: { Accept: "application/json" }, cache: "no-store", signal: AbortSignal.timeout(TRY_MS) });
    if (answer.status === 401 || answer.status === 403) return null;
    if (!answer.ok) throw new Error(`${answer.status}`);
    return answer.json();
  }

  async function post(answer, csrf) {
    return fetch(answer.path, {
      method: "POST",
      headers: {
        Accept: "application/json",
        "Content-Type": "application/x-www-form-urlencoded",
        "X-CSRFToken": csrf,
        "X-Backstop-Answer": answer.key,
        "X-Backstop-Told-At": answer.told_at,
      },
      body: new URLSearchParams(answer.fields),
      redirect: "manual",
      signal: AbortSignal.timeout(TRY_MS),
    });
  }

  const later = (status) => status === 0 || status === 408 || status === 429 || status >= 500;

  // Send what waits, oldest first. Returns what became of each: { id, onward } sent, { id, refused } not taken. What
  // could not be sent yet stays, and everything after it, so that the order is kept.
  async function send() {
    return alone("answers", async () => {
      const waiting = (await answers()).filter((each) => each.refused === null);
      if (!waiting.length) return [];
      let passed = null;
      try { passed = await passport(); } catch { return []; }
      if (!passed) return [];
      const became = [];
      for (const answer of waiting) {
        // Somebody else's answers on a shared phone wait for whoever told them.
        if (answer.who !== passed.who) continue;
        if (Date.now() - Date.parse(answer.told_at) > KEPT_MS) {
          await change({ ...answer, refused: "old" });
          became.push({ id: answer.id, refused: "old" });
          continue;
        }
        let told;
        try { told = await post(answer, passed.csrf); } catch { break; }
        if (told.status === 401 || later(told.status)) break;
        const body = await told.json().catch(() => ({}));
        if (told.ok) {
          await drop(answer.id);
          became.push({ id: answer.id, onward: body.onward });
        } else {
          const refused = body.error?.what ?? "?";
          await change({ ...answer, refused });
          became.push({ id: answer.id, refused });
        }
      }
      return became;
    });
  }

  return { add, alone, answers, drop, dropFact, fact, passport, send, setFact };
})();
