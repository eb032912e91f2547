//! What the customer is told of a refusal, in the words of the statement of reasons and in the protocol's own way.
//!
//! Texts come from the snapshot: they are escaped wherever they are put, and nothing else is said.

use super::body::{JSON, PLAIN, answer, header_text};
use axum::http::StatusCode;
use axum::response::Response;
use gate::Restriction;
use serde::Deserialize;
use serde_json::{Value, json};

/// Names of the headers that carry a refusal.
pub(super) const RESTRICTION: &str = "x-tribune-restriction";
pub(super) const STATEMENT: &str = "x-tribune-statement";

/// How a protocol says no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Form {
    /// In plain text.
    Plain,
    /// As S3's `AccessDenied`.
    S3,
    /// As Azure's `AuthorizationFailure`.
    Azure,
    /// As Google's `forbidden`.
    Google,
    /// As OpenAI's error.
    Openai,
}

/// Why a request was refused, for the customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The restriction.
    pub(super) id: String,
    /// The address of the statement of reasons, where an appeal can be made.
    pub(super) statement: String,
    /// A sentence.
    pub(super) sentence: String,
    /// What was refused.
    pub(super) operation: String,
}

impl Refusal {
    pub(super) fn of(restriction: &Restriction<'_>, operation: &str) -> Self {
        let source = restriction.source();
        let text = |of: fn(&gate::Source) -> &String| source.map(of).cloned().unwrap_or_default();
        Self {
            id: restriction.id(),
            statement: text(|source| &source.statement),
            sentence: text(|source| &source.sentence),
            operation: operation.to_owned(),
        }
    }

    /// All of it in one line.
    pub(super) fn text(&self) -> String {
        let Self { id, statement, sentence, .. } = self;
        format!("{sentence} Restriction {id}. Reasons, and how to appeal: {statement}")
    }

    /// As AuthZEN's `context`.
    pub(super) fn context(&self) -> Value {
        json!({"restriction": self.id, "sentence": self.sentence, "statement": self.statement})
    }

    /// As a body in the protocol's own way, with its content type; `path` is what was asked for.
    pub(super) fn body(&self, form: Form, path: &str) -> (&'static str, String) {
        let Self { id, statement, .. } = self;
        let text = self.text();
        match form {
            Form::Plain => (PLAIN, format!("{text}\n")),
            Form::S3 => ("application/xml", s3(&text, path, id, statement)),
            Form::Azure => {
                let [text, id, statement] = [&text, id, statement].map(|text| xml(text));
                let inner = format!("<Message>{text}</Message><Restriction>{id}</Restriction>");
                let inner = format!("{inner}<Statement>{statement}</Statement>");
                ("application/xml", format!("{XML}<Error><Code>AuthorizationFailure</Code>{inner}</Error>"))
            }
            Form::Google => {
                let reason = json!({"domain": "tribune", "reason": "forbidden", "message": text});
                (JSON, json!({"error": {"code": 403, "message": text, "errors": [reason]}}).to_string())
            }
            Form::Openai => {
                let error = json!({
                    "message": text, "type": "permission_error", "param": null, "code": "restricted",
                    "restriction": id, "statement": statement,
                });
                (JSON, json!({"error": error}).to_string())
            }
        }
    }

    /// As an answer.
    pub(super) fn response(&self, form: Form, path: &str) -> Response {
        let (kind, text) = self.body(form, path);
        let mut response = answer(StatusCode::FORBIDDEN, kind, text);
        let headers = response.headers_mut();
        headers.insert(RESTRICTION, header_text(&self.id));
        headers.insert(STATEMENT, header_text(&self.statement));
        if form == Form::Azure {
            headers.insert("x-ms-error-code", header_text("AuthorizationFailure"));
        }
        response
    }
}

const XML: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

fn s3(text: &str, path: &str, id: &str, statement: &str) -> String {
    let [text, path, id, statement] = [text, path, id, statement].map(xml);
    let inner = format!("<Code>AccessDenied</Code><Message>{text}</Message><Resource>{path}</Resource>");
    format!("{XML}<Error>{inner}<Restriction>{id}</Restriction><Statement>{statement}</Statement></Error>")
}

/// A text as the content of an element; what XML 1.0 cannot carry becomes a blank.
fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for one in text.chars() {
        match one {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            one if one.is_control() || matches!(one, '\u{fffe}' | '\u{ffff}') => escaped.push(' '),
            one => escaped.push(one),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal() -> Refusal {
        Refusal {
            id: "c1/d1/2".into(),
            statement: "https://tribune.example/s?a=1&b=2".into(),
            sentence: "Writing <here> is\r\noff.".into(),
            operation: "storage.write".into(),
        }
    }

    #[test]
    fn each_protocol_says_no_in_its_own_way() {
        let (kind, text) = refusal().body(Form::S3, "/b/k&<");
        assert_eq!(kind, "application/xml");
        assert!(text.contains("<Code>AccessDenied</Code><Message>Writing &lt;here&gt; is  off. Restriction c1/d1/2."));
        assert!(
            text.contains("<Resource>/b/k&amp;&lt;</Resource>") && text.contains("/s?a=1&amp;b=2</Statement>"),
            "{text}"
        );
        let (kind, text) = refusal().body(Form::Openai, "/v1/embeddings");
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((kind, read["error"]["restriction"].as_str()), (JSON, Some("c1/d1/2")));
        let (_, text) = refusal().body(Form::Google, "");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["error"]["code"], 403);
        let response = refusal().response(Form::Azure, "");
        assert_eq!(response.headers()["x-ms-error-code"], "AuthorizationFailure");
        assert_eq!(response.headers()[STATEMENT], "https://tribune.example/s?a=1&b=2");
    }
}
