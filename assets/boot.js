// Shown while the page loads, and when it cannot. The page imports this module and calls `load`; trunk's page has a
// loader of its own, which calls what is exported as default.
// A load that never begins is covered without a script: the style sheet shows a way out after a while.

const element = (id) => document.getElementById(id);

// The first requests go out while the WebAssembly still loads. The client takes each answer, its text and its date,
// from here once, in place of a request of its own (see client/src/http.rs); where there is none, it asks by itself.
const ANSWER_MS_MAX = 10_000;
const early = new Map();

const ask = (url) => {
  const options = { headers: { Accept: "application/json" }, signal: AbortSignal.timeout?.(ANSWER_MS_MAX) };
  const answer = fetch(url, options)
    .then(async (answer) => answer.ok && [(await answer.text()) || "null", answer.headers.get("date")])
    .catch(() => undefined);
  early.set(url, { answer, asked: performance.now() });
};

window.takeEarlyAnswer = (url) => {
  const taken = early.get(url);
  early.delete(url);
  return taken && performance.now() - taken.asked < ANSWER_MS_MAX ? taken.answer : undefined;
};

ask("/api/me");
// demo: begin
// Only for somebody who was signed in when this browser was last here: for others the node would answer 401.
const wasSignedIn = () => {
  try {
    return Boolean(localStorage.getItem("duplex:me"));
  } catch {
    return false; // The browser forbids storage.
  }
};

if (wasSignedIn()) {
  ask("/api/chat/rooms");
  const [, room] = location.pathname.match(/^\/rooms\/([a-z0-9][a-z0-9_-]{0,62})$/) ?? [];
  if (room) ask(`/api/topics/chat:${room}/events?limit=100`);
}
// demo: end

const NO_WEBASSEMBLY =
  "This page needs WebAssembly, which your browser has turned off (Lockdown Mode does that). " +
  "Allow it for this site, or use another browser.";

const fail = (problem, reason) => {
  // Gone when the page had already begun: then its own words about a failure stand there.
  if (!element("boot")) return;
  element("boot-loading").hidden = true;
  if (problem) element("boot-problem").textContent = problem;
  element("boot-reason").textContent = reason;
  element("boot-failed").hidden = false;
};

// The callbacks of a loader: trunk's, or `load` below.
export default function boot() {
  const isMissing = typeof WebAssembly === "undefined";
  if (isMissing) fail(NO_WEBASSEMBLY, "");
  return {
    onProgress({ current, total }) {
      if (total > 0) element("boot-progress").value = Math.min(100, (100 * current) / total);
    },
    onFailure(reason) {
      console.error(reason);
      if (!isMissing) fail("", String(reason));
    },
  };
}

// Loads the client: its JavaScript and its WebAssembly side by side, `size` being the bytes of the latter.
export const load = async (script, wasm, size) => {
  const { onProgress, onFailure } = boot();
  try {
    const [client, answer] = await Promise.all([import(script), fetch(wasm)]);
    if (!answer.ok) throw new Error(`${wasm}: ${answer.status}`);
    let current = 0;
    const counted = new TransformStream({
      transform(chunk, stream) {
        current += chunk.length;
        onProgress({ current, total: size });
        stream.enqueue(chunk);
      },
    });
    // A new answer with the old one's type: only then it is compiled while it arrives.
    const body = new Response(answer.body.pipeThrough(counted), { headers: answer.headers });
    await client.default({ module_or_path: body });
  } catch (error) {
    onFailure(error);
  }
};
