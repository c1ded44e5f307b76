// What a reader that reads aloud would miss.
(() => {
  const wrong = [];
  const need = (holds, what) => holds || wrong.push(what);
  need(document.documentElement.lang, "the page has no language");
  need(document.title, "the page has no title");
  need(document.querySelectorAll("h1").length === 1, "not exactly one h1");
  need(document.querySelector("main"), "no main part");
  for (const table of document.querySelectorAll("table")) {
    const name = table.caption?.textContent;
    need(name, "a table without a caption");
    need([...table.querySelectorAll("th")].every((head) => head.scope), `${name}: a head without scope`);
    for (const row of table.tBodies[0].rows) {
      need(row.cells.length === table.tHead.rows[0].cells.length, `${name}: a row with other cells`);
      need(row.cells[0].tagName === "TH", `${name}: a row without a name`);
      need([...row.cells].slice(1).every((cell) => cell.dataset.label), `${name}: a cell without a label`);
    }
  }
  for (const image of document.querySelectorAll("svg")) {
    const hidden = image.getAttribute("aria-hidden") === "true";
    need(hidden || image.querySelector("title"), "a drawing without a title");
  }
  for (const section of document.querySelectorAll("section")) {
    need(document.getElementById(section.getAttribute("aria-labelledby")), "a section without a name");
  }
  for (const meter of document.querySelectorAll("progress")) {
    need(meter.getAttribute("aria-label"), "progress of nothing");
  }
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  need(new Set(ids).size === ids.length, "an id is there twice");
  return wrong;
})();
