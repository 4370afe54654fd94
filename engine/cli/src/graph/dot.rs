//! A graph in DOT, for Graphviz.

use super::{Graph, Kind, Node};

/// The text of the digraph.
pub(crate) fn rendered(graph: &Graph) -> String {
    let mut text = String::from(
        "digraph viewfold {\n  rankdir=LR;\n  node [fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\", fontsize=10];\n",
    );
    for Node { id, kind, name } in &graph.nodes {
        let label = format!("{}\\n({})", escaped(name), kind.words());
        text += &format!("  {id} [label=\"{label}\", {}];\n", shape(*kind));
    }
    for edge in &graph.edges {
        let label: Vec<String> = edge.label.iter().map(|line| escaped(line)).collect();
        let style = if edge.bookkeeping { ", style=dashed" } else { "" };
        let (from, to) = (&graph.nodes[edge.from].id, &graph.nodes[edge.to].id);
        text += &format!("  {from} -> {to} [label=\"{}\"{style}];\n", label.join("\\n"));
    }
    text + "}\n"
}

const fn shape(kind: Kind) -> &'static str {
    match kind {
        Kind::Kinesis | Kind::Queue => "shape=cds",
        Kind::Projection => "shape=box, style=rounded",
        Kind::Table | Kind::Documents => "shape=cylinder",
        Kind::Marks | Kind::Events | Kind::DeadLetters => "shape=note, style=dashed",
    }
}

/// A text in quotes.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::super::samples;

    #[test]
    fn a_deployment_is_a_digraph() {
        let text = super::rendered(&samples::graph(true));
        for line in [
            r#"  stream_pay_ments_v2 [label="pay-ments.v2\n(Kinesis stream)", shape=cds];"#,
            r#"  projection_by_sum [label="by_sum\n(projection)", shape=box, style=rounded];"#,
            r#"  table_Spent_1_2 [label="Spent.1\n(documents)", shape=cylinder];"#,
            r#"  stream_pay_ments_v2 -> projection_spent [label="source paid\nevents, lane $['order-id']\nguard events_table, id $$.id"];"#,
            r#"  projection_by_sum -> table_viewfold_marks [label="remembers", style=dashed];"#,
        ] {
            assert_eq!(text.lines().filter(|found| *found == line).count(), 1, "{line}\n{text}");
        }
        assert!(text.starts_with("digraph viewfold {\n") && text.ends_with("}\n"), "{text}");
        assert_eq!(super::escaped("a\"b\\c"), "a\\\"b\\\\c");
    }
}
