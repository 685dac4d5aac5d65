// Part of the page in development alone: reloads it once the server shows another client.

const LOOK_EVERY_MS = 300;
const own = document.querySelector("meta[name='duplex-build']").content;

const look = async () => {
  try {
    const page = await fetch("/", { headers: { Accept: "text/html" }, cache: "no-store" });
    const build = new DOMParser().parseFromString(await page.text(), "text/html").querySelector("meta[name='duplex-build']");
    if (page.ok && build && build.content !== own) return location.reload();
  } catch {
    // The server starts again just now.
  }
  setTimeout(look, LOOK_EVERY_MS);
};

look();
