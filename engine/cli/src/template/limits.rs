//! What CloudFormation and IAM take at most: a template beyond that would be refused, after everything else had been done.

use super::node::{Map, Node, to_json};

/// The most resources, parameters, outputs, and bytes of a template in a bucket ([quotas]).
///
/// [quotas]: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
const MOST: [(&str, usize); 3] = [("Resources", 500), ("Parameters", 200), ("Outputs", 200)];
const MOST_BYTES: usize = 1_000_000;

/// The most characters of the policies in a role, white space left out ([quotas]).
///
/// [quotas]: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const MOST_OF_POLICY: usize = 10_240;

/// What the ARN of a table has beyond `!GetAtt`, about.
const ARN: usize = 60;

/// Checks that a template can be deployed.
///
/// # Errors
///
/// What there is too much of.
pub(super) fn check(root: &Map) -> Result<(), String> {
    let advice = "divide the projections into several deployments, each in a folder of its own";
    for (section, most) in MOST {
        let Some(Node::Map(entries)) = root.get(section) else { continue };
        let found = entries.0.len();
        if found > most {
            return Err(format!(
                "the template would have {found} {}, and CloudFormation takes {most}: {advice}",
                section.to_lowercase()
            ));
        }
    }
    let whole = to_json(&Node::Map(root.clone()));
    let bytes = whole.to_string().len();
    if bytes > MOST_BYTES {
        return Err(format!("the template would have {bytes} bytes, and CloudFormation takes {MOST_BYTES}: {advice}"));
    }
    let resources = whole["Resources"].as_object().into_iter().flatten();
    for (id, role) in resources.filter(|(_, resource)| resource["Type"] == "AWS::IAM::Role") {
        let policies = role["Properties"]["Policies"].to_string();
        let found = policies.len() + policies.matches("Fn::GetAtt").count() * ARN;
        if found > MOST_OF_POLICY {
            return Err(format!(
                "the policy of {id} would have about {found} characters, and IAM takes {MOST_OF_POLICY}: its stream has too many \
                 projections with tables of their own; let some share their marks or events table, or {advice}"
            ));
        }
    }
    Ok(())
}
