//! CloudFormation: what a deployed stack says of itself.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::{AwsError, Session};

const SERVICE: &str = "cloudformation";
const ACTION: &str = "DescribeStacks";

/// The outputs of a stack, by key.
pub async fn outputs(session: &Session, stack: &str) -> Result<BTreeMap<String, String>, AwsError> {
    let name: String = stack
        .bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect();
    let body = format!("Action={ACTION}&Version=2010-05-15&StackName={name}");
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let answer = session.signed(SERVICE, ACTION, &headers, Bytes::from(body)).await?;
    read(&String::from_utf8_lossy(&answer)).ok_or(AwsError::Unreadable { service: SERVICE, action: ACTION })
}

/// The answer is XML of a fixed shape without attributes, mixed contents or CDATA, so that two marks per value do.
fn read(xml: &str) -> Option<BTreeMap<String, String>> {
    let (_, outputs) = xml.split_once("<Outputs>")?;
    let (outputs, _) = outputs.split_once("</Outputs>")?;
    outputs.split("</member>").filter(|member| member.contains("<member>")).map(output).collect()
}

fn output(member: &str) -> Option<(String, String)> {
    Some((between(member, "OutputKey")?, between(member, "OutputValue")?))
}

fn between(xml: &str, tag: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{tag}>"))?;
    let (text, _) = rest.split_once(&format!("</{tag}>"))?;
    // The ampersand last, or an escaped escape would be read twice.
    let plain =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#39;", "'"), ("&amp;", "&")];
    Some(plain.iter().fold(text.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_read_with_their_escapes() {
        let xml = "<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>d</StackName><Outputs>\
                   <member><OutputKey>Url</OutputKey><OutputValue>https://x/?a=1&amp;amp;b=2</OutputValue></member>\n\
                   <member><OutputKey>TableName</OutputKey><OutputValue>t</OutputValue><Description>x</Description></member>\
                   </Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>";
        let outputs = read(xml).expect("it has outputs");
        assert_eq!(outputs["TableName"], "t");
        assert_eq!(outputs["Url"], "https://x/?a=1&amp;b=2");
        assert!(read("<Stacks></Stacks>").is_none());
    }
}
