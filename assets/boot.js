// What is shown while the page loads, and what when it cannot. Trunk's loader calls it.
// A load that never begins is covered without a script: the style sheet shows a way out after a while.

const element = (id) => document.getElementById(id);

export default function boot() {
  return {
    onProgress({ current, total }) {
      if (total > 0) element("boot-progress").value = Math.min(100, (100 * current) / total);
    },
    onFailure(reason) {
      console.error(reason);
      // Gone when the page had already begun: then its own words about a failure stand there.
      if (!element("boot")) return;
      element("boot-loading").hidden = true;
      element("boot-reason").textContent = String(reason);
      element("boot-failed").hidden = false;
    },
  };
}
