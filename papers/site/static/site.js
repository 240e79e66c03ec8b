// On every page: tables that search, sort and filter, by DataTables; without script they stay plain.
import DataTable from "./dt_bundle.js";

function orderOf(table) {
  if (!table.dataset.sorted) return [];
  const [column, way] = table.dataset.sorted.split(" ");
  return [[Number(column), way]];
}

function menuOf(made, index) {
  const column = made.column(index);
  const text = (cell) => cell.textContent.trim();
  const menu = document.createElement("select");
  menu.add(new Option("all", ""));
  const found = new Set(column.nodes().toArray().map(text));
  for (const one of [...found].sort()) menu.add(new Option(one, one));
  menu.addEventListener("change", () => {
    const wanted = menu.value;
    const fits = (_, row, at) => text(made.cell(at, index).node()) === wanted;
    column.search(wanted ? fits : "").draw();
  });
  const name = column.header().textContent;
  menu.setAttribute("aria-label", name);
  const label = document.createElement("label");
  label.append(`${name} `, menu);
  return label;
}

const LONG = 40; // rows; a longer table scrolls by itself, so that the page ends

for (const table of document.querySelectorAll("table.srlib-table")) {
  const rows = table.tBodies[0].rows.length;
  const whole = table.closest(".srlib-wide");
  const made = new DataTable(table, {
    order: orderOf(table),
    paging: false,
    autoWidth: false,
    layout: { topStart: "search", topEnd: "info", bottomStart: null, bottomEnd: null },
    language: { search: "Search this table" },
  });
  if (rows > LONG) {
    const box = table.parentElement;
    box.classList.add("srlib-long");
    box.tabIndex = 0;
  }
  const filters = (table.dataset.filters || "").split(" ").filter(Boolean).map(Number);
  if (filters.length) {
    const bar = document.createElement("div");
    bar.className = "srlib-filters";
    bar.append(...filters.map((index) => menuOf(made, index)));
    whole.before(bar);
  }
}

// what scrolls sideways can be reached, and so scrolled, by keys
for (const wide of document.querySelectorAll(".srlib-wide, .cell_output .output, pre")) {
  if (wide.scrollWidth > wide.clientWidth) wide.tabIndex = 0;
}

// on paper a folded table could not be opened; evidence within a cell stays folded, it is a book
let opened = [];
addEventListener("beforeprint", () => {
  const folded = document.querySelectorAll(".bd-article details:not(.hide, td details)");
  opened = [...folded].filter((one) => !one.open);
  for (const one of opened) one.open = true;
});
addEventListener("afterprint", () => { for (const one of opened) one.open = false; });

// the theme's arrows beside a section have no name of their own
for (const arrow of document.querySelectorAll("nav summary")) {
  const section = arrow.closest("li")?.querySelector("a");
  if (section) arrow.setAttribute("aria-label", `Pages of ${section.textContent.trim()}`);
}

// the table was built anew, so a link to one of its rows is followed again
if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
