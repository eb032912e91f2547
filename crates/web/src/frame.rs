//! The frame of every page, the one style sheet, and who reads: in which language, at which address.
//!
//! What stands inside the frame is each page's own.

use crate::pages::Pages;
use crate::words::{Language, Value};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use review::words::Digest;
use std::convert::Infallible;
use std::sync::LazyLock;

/// The style sheet, also of a page that stands alone: it asks for nothing from elsewhere.
pub const STYLE: &str = include_str!("../templates/style.css");

/// The style sheet's address: another for each of its versions, so that it is kept for good.
static STYLE_ADDRESS: LazyLock<String> = LazyLock::new(|| {
    let digest = Digest::of(STYLE).to_string();
    format!("/style.css?v={}", digest.trim_start_matches("sha256:").get(..16).unwrap_or_default())
});

/// Gives the style sheet.
pub(crate) async fn style() -> Response {
    let kind = HeaderValue::from_static("text/css; charset=utf-8");
    let long = HeaderValue::from_static("public, max-age=31536000, immutable");
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, long)], STYLE).into_response()
}

/// Who reads a page: the language, and the address with its filters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reader {
    /// In which language.
    pub language: Language,
    /// The language was chosen in the address, and so stays in those of the page's links.
    pub chosen: bool,
    /// The address.
    pub path: String,
    /// What stands behind the address's `?`, but for the language.
    pub query: Vec<(String, String)>,
}

impl Reader {
    /// Of a request.
    pub fn of(uri: &Uri, headers: &HeaderMap) -> Self {
        let query = uri.query().unwrap_or_default();
        let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().take(64).collect();
        let chosen = pairs.iter().filter(|(name, _)| name == "lang").find_map(|(_, code)| Language::of_code(code));
        let language = chosen.unwrap_or_else(|| Language::preferred(headers));
        let query = pairs.into_iter().filter(|(name, _)| name != "lang").collect();
        Self { language, chosen: chosen.is_some(), path: uri.path().to_owned(), query }
    }

    /// What a filter in the address says; nothing where it is empty.
    pub fn asked(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(known, value)| known == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }

    /// An address of ours for this reader: the language stays as it was chosen.
    pub fn to(&self, address: &str) -> String {
        if !self.chosen {
            return address.to_owned();
        }
        let (address, place) =
            address.split_once('#').map_or((address, None), |(address, place)| (address, Some(place)));
        let mark = if address.contains('?') { '&' } else { '?' };
        let place = place.map(|place| format!("#{place}")).unwrap_or_default();
        format!("{address}{mark}lang={}{place}", self.language.code())
    }

    /// This page's address with other filters: those named take the place of what they were, and an empty one goes.
    pub fn with(&self, filters: &[(&str, &str)]) -> String {
        let stays = |name: &str| filters.iter().all(|(other, _)| *other != name);
        let before =
            self.query.iter().map(|(name, value)| (name.as_str(), value.as_str())).filter(|(name, _)| stays(name));
        let pairs = before.chain(filters.iter().copied()).filter(|(_, value)| !value.is_empty());
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        self.to(&if query.is_empty() { self.path.clone() } else { format!("{}?{query}", self.path) })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Reader {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.uri, &parts.headers))
    }
}

/// An entry of the navigation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Where it leads.
    pub address: String,
    /// What it is called.
    pub name: String,
    /// How many things wait there; not shown if none do.
    pub count: usize,
}

impl Link {
    /// One without a count.
    pub fn new(address: &str, name: impl Into<String>) -> Self {
        Self { address: address.to_owned(), name: name.into(), count: 0 }
    }
}

/// Who is signed in, with what ends that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// Their name, as it is shown.
    pub name: String,
    /// The token that binds the form to their session.
    pub token: String,
}

/// What surrounds every page.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Who reads it.
    pub reader: Reader,
    /// The page's title.
    pub title: String,
    /// The provider's name.
    pub provider: String,
    /// Where else to go.
    pub pages: Vec<Link>,
    /// Where the mark leads.
    pub home: String,
    /// Who is signed in, if anybody.
    pub signed_in: Option<SignedIn>,
    /// Whether the page is to be had in every language.
    pub languages: bool,
    /// Everything here is simulated.
    pub simulated: bool,
}

impl Frame {
    /// Of a public page.
    pub fn new(pages: &Pages, reader: &Reader, title: &str) -> Self {
        let language = reader.language;
        let link = |address: &str, name: &str| Link::new(address, language.say(name));
        Self {
            reader: reader.clone(),
            title: title.to_owned(),
            provider: pages.settings.provider.clone(),
            pages: vec![
                link("/report", "nav-report"),
                link("/statements", "nav-statements"),
                link("/transparency", "nav-transparency"),
                link("/policies", "nav-policies"),
                link("/log", "nav-log"),
            ],
            home: "/".to_owned(),
            signed_in: None,
            languages: true,
            simulated: pages.settings.simulated,
        }
    }

    /// Of a page for those who are signed in: English, with a navigation of its own.
    pub fn inside(
        pages: &Pages,
        reader: &Reader,
        title: &str,
        links: Vec<Link>,
        home: &str,
        who: Option<SignedIn>,
    ) -> Self {
        let reader = Reader { language: Language::English, chosen: false, ..reader.clone() };
        let frame = Self::new(pages, &reader, title);
        Self { pages: links, home: home.to_owned(), signed_in: who, languages: false, ..frame }
    }

    /// A message, in the reader's language.
    pub fn t(&self, message: &str) -> String {
        self.reader.language.say(message)
    }

    /// A message with a text in it.
    pub fn with(&self, message: &str, name: &str, text: &str) -> String {
        self.reader.language.tell(message, &[(name, text.into())])
    }

    /// A message with a count in it.
    pub fn count(&self, message: &str, name: &str, number: &usize) -> String {
        self.reader.language.tell(message, &[(name, Value::from(*number))])
    }

    /// An address of ours, for this reader.
    pub fn to(&self, address: impl AsRef<str>) -> String {
        self.reader.to(address.as_ref())
    }

    /// Whether an entry of the navigation leads here: `page`, or to above here: `true`.
    pub(crate) fn current(&self, address: &str) -> Option<&'static str> {
        let rest = self.reader.path.strip_prefix(address)?;
        match rest {
            "" => Some("page"),
            // Of two that lie above this page, the nearer one leads here.
            _ if rest.starts_with('/') && address != "/" && !self.is_nearer(address) => Some("true"),
            _ => None,
        }
    }

    fn is_nearer(&self, address: &str) -> bool {
        let longer = |link: &Link| link.address.len() > address.len() && link.address.starts_with(address);
        self.pages.iter().any(|link| longer(link) && self.reader.path.starts_with(&link.address))
    }

    pub(crate) fn style(&self) -> &'static str {
        STYLE_ADDRESS.as_str()
    }

    pub(crate) fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    /// The same page in the other languages.
    pub(crate) fn others(&self) -> Vec<(Language, String)> {
        let others = Language::ALL.into_iter().filter(|other| *other != self.reader.language);
        others.map(|other| (other, self.in_language(other))).collect()
    }

    fn in_language(&self, language: Language) -> String {
        Reader { language, chosen: true, ..self.reader.clone() }.with(&[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(uri: &str) -> Reader {
        Reader::of(&uri.parse().unwrap(), &HeaderMap::new())
    }

    #[test]
    fn filters_and_language_stay_in_the_address() {
        let read = reader("/statements?clause=a%20b&lang=ar&page=2");
        assert_eq!(
            (read.language, read.asked("clause"), read.asked("page")),
            (Language::Arabic, Some("a b"), Some("2"))
        );
        assert_eq!(read.with(&[("page", "3")]), "/statements?clause=a+b&page=3&lang=ar");
        assert_eq!(read.with(&[("page", ""), ("clause", "")]), "/statements?lang=ar");
        assert_eq!(read.to("/log#key"), "/log?lang=ar#key");
        let plain = reader("/statements?lang=xx");
        assert_eq!((plain.language, plain.to("/log").as_str()), (Language::English, "/log"));
    }

    #[test]
    fn the_style_sheet_asks_for_nothing_from_elsewhere() {
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import") && !STYLE.contains("</"));
        assert!(STYLE_ADDRESS.len() == "/style.css?v=".len() + 16);
    }
}
