// Reloads the page once the server has a new client. Only pages built for `cargo xtask dev` contain it.

const POLL_INTERVAL_MS = 300;
const ownBuild = document.querySelector("meta[name='duplex-build']").content;

const poll = async () => {
  try {
    const page = await fetch("/", { headers: { Accept: "text/html" }, cache: "no-store" });
    const build = new DOMParser().parseFromString(await page.text(), "text/html").querySelector("meta[name='duplex-build']");
    if (page.ok && build && build.content !== ownBuild) return location.reload();
  } catch {
    // The server is restarting.
  }
  setTimeout(poll, POLL_INTERVAL_MS);
};

poll();
