//! The simulator against the service's own specification, where the folder `DESKUP_API` has it.

use std::collections::BTreeSet;

use super::*;
use crate::clickup::routes::ROUTES;

/// Paths of both versions with the names in braces made alike, and the specification they are in.
struct Spec {
    documents: [(Value, &'static str); 2],
}

impl Spec {
    fn open() -> Option<Self> {
        let folder = std::path::PathBuf::from(std::env::var_os("DESKUP_API")?);
        let read = |name: &str| serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap();
        let documents = [(read("clickup-openapi.json"), "/api"), (read("clickup-openapi-v3.json"), "")];
        Some(Self { documents })
    }

    /// An operation and the document it is in.
    fn operation(&self, method: &str, pattern: &str) -> Option<(&Value, &Value)> {
        self.documents.iter().find_map(|(document, base)| {
            let paths = document["paths"].as_object()?;
            let (_, path) =
                paths.iter().find(|(path, _)| anonymous(&format!("{base}{path}")) == anonymous(pattern))?;
            path.get(method.to_lowercase()).map(|operation| (operation, document))
        })
    }

    /// Members that the operation's answer requires and `body` lacks.
    fn missing(&self, method: &str, pattern: &str, body: &Value) -> Vec<String> {
        let (operation, document) = self.operation(method, pattern).unwrap();
        let mut missing = Vec::new();
        let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
        check(document, schema, body, String::new(), &mut missing);
        missing
    }
}

fn anonymous(path: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

fn check(document: &Value, schema: &Value, value: &Value, at: String, missing: &mut Vec<String>) {
    if let Some(pointer) = schema["$ref"].as_str().and_then(|name| name.strip_prefix('#')) {
        let pointer = crate::http_text::decode(pointer);
        if let Some(target) = document.pointer(&pointer) {
            check(document, target, value, at, missing);
        }
        return;
    }
    match value {
        Value::Object(members) => {
            for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                if !members.contains_key(name) {
                    missing.push(format!("{at}.{name}"));
                }
            }
            for (name, value) in members {
                if let Some(schema) = schema["properties"].get(name) {
                    check(document, schema, value, format!("{at}.{name}"), missing);
                }
            }
        }
        Value::Array(values) => {
            for value in values {
                check(document, &schema["items"], value, format!("{at}[]"), missing);
            }
        }
        _ => {}
    }
}

#[test]
fn every_route_is_in_the_specification() {
    let Some(spec) = Spec::open() else { return };
    let unknown: Vec<String> = ROUTES
        .iter()
        .filter(|route| spec.operation(route.method.as_str(), route.pattern).is_none())
        .map(super::super::routes::Route::label)
        .collect();
    assert_eq!(unknown, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn answers_have_the_members_the_specification_requires() {
    let Some(spec) = Spec::open() else { return };
    let bench = Bench::new();
    let id = bench
        .create(json!({"name": "a", "assignees": [ANN, SAM], "tags": ["t"], "due_date": START_MS}))
        .await;
    let comment = format!("/api/v2/task/{id}/comment");
    let comment =
        bench.call("POST", &comment, json!({"comment_text": "x", "assignee": ANN})).await.body["id"].clone();
    bench.call("POST", &format!("/api/v2/comment/{comment}/reply"), json!({"comment_text": "y"})).await;
    let hook = bench.hook(json!({})).await;
    let hook = hook["id"].as_str().unwrap();
    let value =
        |field: &SeededField| (field.id.clone(), field.options.first().map(|option| option.id.clone()));
    let (drop_down, option) = value(&bench.drop_down);
    let mut tried = BTreeSet::new();
    for route in &ROUTES {
        let place = match route.pattern.split('/').nth(3).unwrap() {
            "team" | "workspaces" => TEAM.to_owned(),
            "space" => SPACE.to_owned(),
            "folder" => "456".to_owned(),
            "list" => LIST.to_owned(),
            "comment" => comment.to_string(),
            "webhook" => hook.to_owned(),
            _ => id.clone(),
        };
        // What deletes, and what needs a code or a file, has tests of its own.
        let label = route.label();
        let skipped =
            ["DELETE /task/{id}", "DELETE /webhook/{id}", "DELETE /comment/{id}", "POST /oauth/token"];
        if skipped.contains(&label.as_str()) || route.pattern.ends_with("/attachment") {
            continue;
        }
        let path = route.pattern.replace("{id}", &place).replace("{task}", &id).replace("{list}", OTHER_LIST);
        let path = path.replace("{field}", &drop_down).replace("{name}", "t");
        let body = match label.as_str() {
            "POST /list/{id}/task" => json!({"name": "b"}),
            "PUT /task/{id}" => json!({"name": "c"}),
            "POST /task/{id}/field/{field}" => json!({"value": option}),
            "PUT /webhook/{id}" | "POST /team/{id}/webhook" => {
                json!({"endpoint": "https://new.example/", "events": "*", "status": "active"})
            }
            "POST /space/{id}/tag" => json!({"tag": {"name": "n"}}),
            _ if route.method == Method::GET => Value::Null,
            _ => json!({"comment_text": "z", "resolved": false, "assignee": null}),
        };
        let got = bench.call(route.method.as_str(), &path, body).await;
        assert_eq!(got.status, 200, "{label}: {}", got.body);
        let missing = spec.missing(route.method.as_str(), route.pattern, &got.body);
        assert_eq!(missing, Vec::<String>::new(), "{label}: {}", got.body);
        tried.insert(label);
    }
    assert_eq!(tried.len(), ROUTES.len() - 5);
}
