//! The public site: what the world reads. No cookie, and no form that changes anything.
//!
//! | module | what it is |
//! |---|---|
//! | `home` | what this is and for whom; policies; how to check the log |
//! | `statements` | statements and corrections: the list, each one, as JSON |
//! | `numbers` | a year's numbers, and what the log tells of each month |
//! | `files` | files of the log, and numbers as CSV, as they were written |
//!
//! Everything comes from one shelf ([`clerk::Shelf`]), kept in memory and read on as the record grows.

mod files;
mod home;
mod numbers;
mod statements;

use crate::answer::Problem;
use crate::frame;
use crate::pages::Pages;
use crate::routes::{May, Route};
use clerk::Shelf;
use review::dsa::Settings;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::Mutex;

/// For how many seconds a public page may be kept by whoever passes it on.
const KEPT_SECONDS: u32 = 30;

/// What was published, as it was read last.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    shelf: RwLock<Arc<Shelf>>,
    reading: Mutex<()>,
}

/// The shelf as it is now. While it is read on, others are shown what it was.
async fn shelf(pages: &Pages) -> Result<Arc<Shelf>, Problem> {
    let held = || Arc::clone(&pages.public.shelf.read().unwrap_or_else(PoisonError::into_inner));
    let before = held();
    let _turn = match pages.public.reading.try_lock() {
        Ok(turn) => turn,
        Err(_) if before.entries > 0 => return Ok(before),
        Err(_) => pages.public.reading.lock().await,
    };
    // Whoever had the turn before may have read on.
    let before = held();
    let terms = format!("{}/policies", pages.settings.base);
    let countries = BTreeMap::new();
    let category = "STATEMENT_CATEGORY_OTHER_VIOLATION_TC";
    let settings = Settings { category, terms_url: Some(&terms), countries: &countries, article_16: false };
    let Some(after) = pages.clerk.shelve(&before, &settings).await? else { return Ok(before) };
    let after = Arc::new(after);
    *pages.public.shelf.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&after);
    Ok(after)
}

/// The public pages.
pub(crate) fn routes() -> Vec<Route<Arc<Pages>>> {
    let may = May::Anyone;
    vec![
        Route::get("/", may, "what this is", home::home),
        Route::get("/style.css", may, "the style sheet", frame::style),
        Route::get("/policies", may, "the clauses", home::policies),
        Route::get("/policies/{id}", may, "one clause", home::policy),
        Route::get("/log", may, "the public log, and how to verify it", home::log),
        Route::get("/log/{*path}", may, "a file of the log", files::log),
        Route::get("/statements", may, "statements of reasons", statements::list),
        Route::get("/statements/", may, "the same", statements::list),
        Route::get("/statements.json", may, "the same, in the fields of the EU database", statements::json),
        Route::get("/statements/{name}", may, "one of them", statements::one),
        Route::get("/transparency", may, "the years", numbers::years),
        Route::get("/transparency/{name}", may, "the numbers of one", numbers::year),
    ]
}
