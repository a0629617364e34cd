// Sorts a table by the column whose head is pressed; pressed again, the other way round.
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  const value = (row, at) => {
    const cell = row.cells[at];
    const text = cell.dataset.value ?? cell.textContent.replaceAll(",", "");
    const number = text.trim() === "" ? NaN : Number(text);
    return Number.isNaN(number) ? text : number;
  };
  heads.forEach((head, at) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...table.tBodies[0].rows].sort((a, b) => {
        const [left, right] = [value(a, at), value(b, at)];
        if (typeof left === "number" && typeof right === "number") return left - right;
        return String(left).localeCompare(String(right));
      });
      table.tBodies[0].append(...(down ? rows.reverse() : rows));
    });
  });
}
