//! The public site: what was published is there, with its place and what corrects it, in both languages, and nothing else.

use crate::house::{House, NOW, chance};
use clerk::{Public, PublicText};
use review::public::Entry;
use review::words::Digest;
use store::{Append, Files, New, PublicLog, Publication};
use tlog::Signer;

/// A public statement, as `review::statement` writes them.
pub(crate) fn statement(number: usize, service: &str, place: &str) -> String {
    format!(
        "Statement of reasons, for the public\n\nWhat this is about\n  Digest of the decision:\n    {}\n\nThe measure\n  \
         What is ordered:\n    Read-only <b>{number}</b>\u{202e}\n  What is switched off:\n    {service}, {place}: new content \
         and new processing\n\nThe contractual ground\n  Clause of the terms:\n    No mass surveillance of civilians \
         (mass-surveillance)\n",
        Digest::of(number.to_string())
    )
}

/// Publishes texts as the clerk does, and what the log says of them.
pub(crate) async fn published(house: &House, texts: &[PublicText], entries: &[Entry]) {
    let record = house.clerk.record();
    let before = record.streams("published").await.unwrap().first().map_or(0, |(_, length)| *length);
    let events: Vec<_> = texts.iter().map(|text| New { at: NOW, body: serde_json::to_vec(text).unwrap() }).collect();
    if !events.is_empty() {
        let append = Append { stream: "published".into(), expected: before, events };
        record.append(&append, &mut chance("texts")).await.unwrap();
    }
    if entries.is_empty() {
        return;
    }
    let signer = Signer::new("log.example/tribune", &[1; 32]).unwrap();
    let mut log = PublicLog::open(record, Files::local(house.public().join("log")), signer).await.unwrap();
    let entries = entries.iter().map(|entry| serde_json::to_string(entry).unwrap()).collect();
    let publication = Publication { entries, seen: 0, batched: 0 };
    log.publish(record, NOW, publication, &mut chance("log")).await.unwrap();
}

pub(crate) fn address(text: &PublicText) -> String {
    format!("/statements/{}", text.digest.to_string().replace(':', "-"))
}

#[tokio::test]
async fn a_statement_is_a_page_with_its_place_and_what_corrects_it_both_ways() {
    let house = House::new().await;
    assert!(house.get("/statements").await.text().contains("Nothing has been published yet"));
    let wrong = PublicText::new(Public::Statement, &statement(1, "object-storage", "in west"));
    let right = PublicText::new(Public::Correction, "It was in the <east>.\u{202e}");
    let served = Entry::Statement { statement: wrong.digest, day: "2026-03-02".into() };
    published(&house, std::slice::from_ref(&wrong), &[served]).await;
    let page = house.get(&address(&wrong)).await.text();
    assert!(page.contains("<time datetime=\"2026-03-02\">") && page.contains("<dt>Entry</dt><dd>0</dd>"), "{page}");
    assert!(page.contains("Read-only &#60;b&#62;1&#60;/b&#62;[U+202E]") && !page.contains("Corrected"), "{page}");
    assert!(page.contains("tribune log verify http://127.0.0.1:8402/log --key"), "{page}");
    let corrected = Entry::Correction { statement: wrong.digest, correction: right.digest, day: "2026-03-05".into() };
    published(&house, std::slice::from_ref(&right), &[corrected]).await;
    let page = house.get(&address(&wrong)).await.text();
    assert!(page.contains(&format!("href=\"{}\"", address(&right))), "{page}");
    let page = house.get(&format!("{}?lang=ar", address(&right))).await.text();
    assert!(page.contains(&format!("href=\"{}?lang=ar\"", address(&wrong))) && page.contains("dir=\"rtl\""), "{page}");
    assert!(page.contains("It was in the &#60;east&#62;.[U+202E]"), "{page}");
    assert_eq!(house.get("/statements/sha256-00").await.status, 404);
    assert!(house.complaints.lock().unwrap().is_empty());
}

#[tokio::test]
async fn statements_are_found_by_clause_service_region_and_year_and_read_by_machines() {
    let house = House::new().await;
    let texts: Vec<_> = (0..60)
        .map(|number| {
            let (service, place) =
                if number % 2 == 0 { ("speech", "in west") } else { ("object-storage", "everywhere") };
            PublicText::new(Public::Statement, &statement(number, service, place))
        })
        .collect();
    let entries = |(number, text): (usize, &PublicText)| Entry::Statement {
        statement: text.digest,
        day: format!("{}-03-02", if number < 10 { 2025 } else { 2026 }),
    };
    published(&house, &texts, &texts.iter().enumerate().map(entries).collect::<Vec<_>>()).await;
    for (query, found) in [
        ("", 60),
        ("?service=speech", 30),
        ("?service=speech&region=west&year=2025", 5),
        // Where it is everywhere it is in the east, too.
        ("?region=east", 30),
        ("?year=2025", 10),
        ("?clause=mass-surveillance&year=2026", 50),
        ("?clause=other", 0),
        ("?service=%3Cscript%3E&page=99999999999999999999", 0),
    ] {
        let page = house.get(&format!("/statements{query}")).await.text();
        let said =
            if found == 0 { "No statement.".into() } else { format!("{found}\u{2069} statements and corrections.") };
        assert!(page.contains(&said), "{query}: {page}");
        let json: serde_json::Value =
            serde_json::from_slice(&house.get(&format!("/statements.json{query}")).await.body).unwrap();
        assert_eq!(json["total"], found, "{query}");
    }
    let first = house.get("/statements?service=speech").await.text();
    assert!(first.contains("<a rel=\"next\" href=\"/statements?service=speech&#38;page=2\">"), "{first}");
    let second = house.get("/statements?service=speech&page=2").await.text();
    assert!(second.contains("rel=\"prev\"") && !second.contains("rel=\"next\""), "{second}");
    let json: serde_json::Value = serde_json::from_slice(&house.get("/statements.json").await.body).unwrap();
    let row = &json["statements"][3]["tribune"];
    assert_eq!((row["log_index"].as_u64(), row["text"].as_str()), (Some(3), Some(texts[3].text.as_str())));
}

#[tokio::test]
async fn a_year_is_a_page_whose_numbers_are_those_of_the_table() {
    let house = House::new().await;
    assert!(house.get("/transparency").await.text().contains("No year is published yet"));
    let counts = review::counts::Counts {
        year: 2025,
        appeals_filed: 7,
        deadlines_missed: [("acknowledge a report".to_owned(), 3)].into(),
        ..review::counts::Counts::default()
    };
    let table = PublicText::new(Public::Counts(2025), &counts.csv());
    published(&house, std::slice::from_ref(&table), &[Entry::Counts { year: 2025, counts: table.digest }]).await;
    let page = house.get("/transparency/2025").await.text();
    for part in [
        "Appeals filed</th>",
        "<strong>7</strong>",
        "acknowledge a report",
        "<strong>3</strong>",
        &table.digest.to_string(),
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    // Every number of the table stands on the page: none falls between two sections.
    assert_eq!(page.matches("<tr><th scope=\"row\">").count(), counts.rows().len() - 1);
    assert!(house.get("/transparency").await.text().contains("href=\"/transparency/2025\""));
    for address in ["/transparency/2024", "/transparency/+202", "/transparency/2025.csv.csv", "/transparency/x"] {
        assert_eq!(house.get(address).await.status, 404, "{address}");
    }
}

#[tokio::test]
async fn every_public_page_is_there_in_both_languages_and_small() {
    let house = House::new().await;
    for address in
        ["/", "/statements", "/transparency", "/log", "/policies", "/report", "/report/new", "/report/mailbox"]
    {
        for language in ["en", "ar"] {
            let answer = house.get(&format!("{address}?lang={language}")).await;
            let text = answer.text();
            assert!(answer.status == 200 && text.len() < 100_000, "{address}: {}", answer.status);
            assert!(text.contains(&format!("<html lang=\"{language}\"")) && !answer.headers.contains_key("set-cookie"));
            assert!(!text.contains("<script") && !text.contains(" style=\""), "{address}");
            let public = !address.starts_with("/report");
            assert_eq!(answer.header("cache-control").contains("no-store"), !public, "{address}");
        }
    }
}

#[tokio::test]
async fn what_was_erased_is_on_no_page_any_more() {
    let house = House::new().await;
    let text = PublicText::new(Public::Statement, &statement(1, "speech", "in west"));
    let served = Entry::Statement { statement: text.digest, day: "2026-03-02".into() };
    published(&house, std::slice::from_ref(&text), &[served]).await;
    assert_eq!(house.get(&address(&text)).await.status, 200);
    assert_eq!(house.get(&format!("{}.txt", address(&text))).await.text(), text.text);
    let record = house.clerk.record();
    let event = record.stream("published", 0).await.unwrap().remove(0);
    let erasure = store::Erasure {
        at: NOW,
        by: ["ben", "cleo"].map(|person| person.parse().unwrap()).into(),
        positions: [event.position].into(),
        reason: Digest::of("why"),
        texts: [].into(),
    };
    record.erase(&erasure, &mut chance("erasure")).await.unwrap();
    let entry = Entry::Erasure { commitment: Digest(event.commitment), day: "2026-03-03".into() };
    published(&house, &[], &[entry]).await;
    assert_eq!(house.get(&address(&text)).await.status, 404);
    assert_eq!(house.get(&format!("{}.txt", address(&text))).await.status, 404);
}
