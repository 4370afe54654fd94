//! A graph as a Mermaid flowchart, as GitHub and many others show it.

use super::{Graph, Kind, Node};

/// The text of the flowchart.
pub(crate) fn rendered(graph: &Graph) -> String {
    let mut text = String::from("flowchart LR\n");
    for node in &graph.nodes {
        text += &format!("  {}{}\n", node.id, shape(node));
    }
    for edge in &graph.edges {
        let arrow = if edge.bookkeeping { "-.->" } else { "-->" };
        let label: Vec<String> = edge.label.iter().map(|line| escaped(line)).collect();
        let (from, to) = (&graph.nodes[edge.from].id, &graph.nodes[edge.to].id);
        text += &format!("  {from} {arrow}|\"{}\"| {to}\n", label.join("<br>"));
    }
    text
}

/// A shape for each kind, with the name and, where the shape does not say it, what it is.
fn shape(Node { kind, name, .. }: &Node) -> String {
    let label = format!("\"{}<br><small>{}</small>\"", escaped(name), kind.words());
    match kind {
        Kind::Kinesis | Kind::Queue => format!("[/{label}/]"),
        Kind::Projection => format!("([{label}])"),
        Kind::Table | Kind::Documents => format!("[({label})]"),
        Kind::Marks | Kind::Events | Kind::DeadLetters => format!("[[{label}]]"),
    }
}

/// A text in quotes: Mermaid takes some signs as its own there, and all of HTML's.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => escaped += "#quot;",
            '#' | '&' | '<' | '>' | '`' | '\\' | '%' | ';' => escaped += &format!("#{};", u32::from(c)),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::super::samples;

    #[test]
    fn a_deployment_is_a_flowchart() {
        let expected = r#"flowchart LR
  stream_pay_ments_v2[/"pay-ments.v2<br><small>Kinesis stream</small>"/]
  table_Cust_omers[("Cust.omers<br><small>table</small>")]
  projection_by_sum(["by_sum<br><small>projection</small>"])
  projection_latest(["latest<br><small>projection</small>"])
  projection_spent(["spent<br><small>projection</small>"])
  table_Latest[("Latest<br><small>documents</small>")]
  table_Spent_1[("Spent-1<br><small>documents</small>")]
  table_Spent_1_2[("Spent.1<br><small>documents</small>")]
  table_Spent_1 -->|"changes, lane id<br>guard last_event_id: lane"| projection_by_sum
  projection_by_sum -->|"by sum, x"| table_Spent_1_2
  stream_pay_ments_v2 -->|"events, lane $.a<br>guard last_event_id, order $.at"| projection_latest
  projection_latest -->|"by a"| table_Latest
  stream_pay_ments_v2 -->|"source paid<br>events, lane $['order-id']<br>guard events_table, id $$.id"| projection_spent
  table_Cust_omers -->|"source changed<br>changes, lane id, n<br>guard events_table, id $$.id"| projection_spent
  projection_spent -->|"by id"| table_Spent_1
"#;
        assert_eq!(super::rendered(&samples::graph(false)), expected);
    }

    #[test]
    fn bookkeeping_is_drawn_where_it_is_asked_for() {
        let text = super::rendered(&samples::graph(true));
        for line in [
            r#"  table_Seen[["Seen<br><small>events</small>"]]"#,
            r#"  table_viewfold_marks[["viewfold_marks<br><small>marks of lanes</small>"]]"#,
            r#"  projection_spent -.->|"remembers"| table_Seen"#,
            r#"  projection_spent -.->|"cannot apply"| table_viewfold_dead_letters"#,
        ] {
            assert_eq!(text.lines().filter(|found| *found == line).count(), 1, "{line}\n{text}");
        }
        // `on_error: skip`
        assert!(!text.contains("projection_latest -.->"), "{text}");
    }

    #[test]
    fn signs_of_mermaid_and_html_are_escaped() {
        assert_eq!(super::escaped("a\"b#c<d>`e`"), "a#quot;b#35;c#60;d#62;#96;e#96;");
    }
}
