from rich.cells import cell_len

from sim.evidence import ledger


def test_list_filters(command):
    """Every filter narrows the list, and filters add up."""
    everything = command.json("figures", "list")
    assert [f["id"] for f in everything] == list(ledger.figures())
    rejected = command.json("figures", "list", "--use", "rejected", "--source", "A")
    assert rejected
    assert all(f["use"] == "rejected" and "A" in f["sources"] for f in rejected)
    policy = command.json("figures", "list", "--role", "policy_parameter", "--search", "生活补助")
    assert {f["role"] for f in policy} == {"policy_parameter"}
    assert "subsidy_bachelor_per_year" in [f["id"] for f in policy]


def test_columns_line_up_in_chinese(command):
    """Chinese letters take two cells: the column after them starts where its heading does."""
    head, _, *rows = command("figures", "list", "--search", "生活补助", "--lang", "zh").stdout.strip("\n").splitlines()
    start = cell_len(head[: head.index("时间")])
    for row in rows:
        assert cell_len(row[: row.index(" 2024-04") + 1]) == start, row


def test_show_tells_all(command):
    """A figure comes with its source in full, and why it was rejected if it was."""
    lost = next(f for f in ledger.figures().values() if f.use == "rejected" and f.why)
    said = command("figures", "show", lost.id, "--lang", "zh").stdout
    assert lost.why["zh"] in said
    assert ledger.sources()[lost.sources[0]].publisher in said
    assert command.json("figures", "show", lost.id)["sources"][0]["id"] == lost.sources[0]


def test_audit_counts_and_compares(command, place):
    """Each number has its status; one that cites a figure and says another number is pointed out."""
    (place / "cited.yaml").write_text(
        "schema: 1\nextends: tiny.yaml\narrivals:\n  per_year: {value: 50_000, evidence: student_inflow_per_year}\n"
    )
    told = command.json("figures", "audit", "cited.yaml")
    assert sum(told["counts"].values()) == len(told["numbers"])
    row = next(n for n in told["numbers"] if n["path"] == "arrivals.per_year")
    figure = ledger.figure("student_inflow_per_year")
    assert (row["status"], row["evidence"]) == ("published", figure.id)
    said = command("figures", "audit", "cited.yaml", "--lang", "zh").stdout
    assert row["agrees"] or "与公布值" in said
    assert f"共{len(told['numbers'])}个数值：公布 {told['counts']['published']}" in said


def test_audit_of_one_status(command):
    """--status narrows the list; the counts are of all numbers."""
    told = command.json("figures", "audit", "tiny.yaml", "--status", "published")
    assert {n["status"] for n in told["numbers"]} <= {"published"}
    assert sum(told["counts"].values()) > len(told["numbers"])
    said = command("figures", "audit", "tiny.yaml", "--status", "published").stdout
    assert "behaviour." not in said
