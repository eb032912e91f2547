//! What is looked for in any page that a browser shows: what axe-core says of it in light and in dark, whether it fits
//! narrow and wide windows, what it weighs; and pictures of it.
//!
//! It knows no page of ours; who walks them is `looked`, and the command's own tests for what the command serves itself.

use crate::driver::{Chromium, Driver, tool};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::ops::Deref;
use std::path::{Path, PathBuf};

/// What a page may weigh; its style sheet is kept for good.
const BYTES_MAX: u64 = 100_000;

/// The windows that a page must fit: two telephones, and the widest desk.
const WIDTHS: [u32; 3] = [360, 390, 2_560];

/// How pages are pictured: width, colours, and whether as on paper.
pub(crate) const FORMS: [(&str, u32, &str, &str); 4] = [
    ("light", 1280, "light", "screen"),
    ("dark", 1280, "dark", "screen"),
    ("phone", 390, "light", "screen"),
    ("print", 794, "light", "print"),
];

/// Every rule of WCAG 2.2 AA that a machine can look for, and what axe-core holds to be good besides.
const RULES: [&str; 6] = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/// What axe-core finds, a line each.
const FIND: &str = "
    const found = await axe.run(document, {runOnly: arguments[0], resultTypes: ['violations']});
    return found.violations.flatMap(one => one.nodes.slice(0, 4).map(node =>
        `${one.id} (${one.impact}): ${one.help}: ${node.target.join(' ')}: ${node.failureSummary.replace(/\\s+/g, ' ')}`));
";

/// What makes a page wider than its window, a line each.
const WIDER: &str = "
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    const held = one => {
        for (let up = one.parentElement; up; up = up.parentElement)
            if (getComputedStyle(up).overflowX !== 'visible') return true;
        return false;
    };
    const out = [...document.body.querySelectorAll('*')].filter(one => {
        const box = one.getBoundingClientRect();
        return (box.right > width + 0.5 || box.left < -0.5) && !held(one);
    });
    return [`it is ${document.documentElement.scrollWidth} px wide`, ...out.slice(-3).map(one => one.outerHTML.slice(0, 120))];
";

const WEIGHT: &str = "
    return performance.getEntriesByType('navigation')[0].decodedBodySize;
";

/// Of the window, in pixels.
const HEIGHT: u32 = 900;

/// A browser that looks.
pub(crate) struct Eyes<'a> {
    browser: Chromium<'a>,
    pictures: Option<PathBuf>,
}

impl<'a> Deref for Eyes<'a> {
    type Target = Chromium<'a>;

    fn deref(&self) -> &Chromium<'a> {
        &self.browser
    }
}

impl<'a> Eyes<'a> {
    /// Opens a browser with axe-core in it; none, said, where that is not installed.
    pub(crate) async fn open(driver: &'a Driver) -> Option<Self> {
        let axe = std::fs::read_to_string(tool("TRIBUNE_AXE")?.join("axe-core/axe.min.js")).unwrap();
        let browser = driver.scripted().await;
        browser.devtools("Page.setBypassCSP", json!({"enabled": true})).await;
        browser.devtools("Page.addScriptToEvaluateOnNewDocument", json!({"source": axe})).await;
        Some(Self { browser, pictures: std::env::var_os("TRIBUNE_SCREENSHOTS").map(PathBuf::from) })
    }

    /// The folder of the pictures, where any are wanted.
    pub(crate) fn pictures(&self) -> Option<&Path> {
        self.pictures.as_deref()
    }

    /// Ends the session.
    pub(crate) async fn leave(self) {
        self.browser.leave().await;
    }

    /// What is wrong with what the browser shows. Pictures of it are kept by this name.
    pub(crate) async fn faults(&self, name: &str) -> Vec<String> {
        let mut faults = Vec::new();
        let weight = self.browser.run(WEIGHT, json!([])).await.as_u64().unwrap();
        if weight >= BYTES_MAX {
            faults.push(format!("it weighs {weight} bytes"));
        }
        let all = json!({"type": "tag", "values": RULES});
        // Whatever else axe looks for is the same in other colours and widths.
        let few = json!({"type": "rule", "values": ["color-contrast", "link-in-text-block", "target-size", "scrollable-region-focusable"]});
        for (width, scheme, rules) in [(1280, "light", &all), (390, "dark", &few)] {
            self.wears(width, scheme, "screen").await;
            faults.extend(lines(&self.browser.run(FIND, json!([rules])).await));
        }
        for width in WIDTHS {
            self.wears(width, "light", "screen").await;
            let wide = lines(&self.browser.run(WIDER, json!([])).await).join(" | ");
            faults.extend((!wide.is_empty()).then(|| format!("it scrolls sideways at {width} px: {wide}")));
        }
        for (form, width, scheme, medium) in FORMS.iter().filter(|_| self.pictures.is_some()) {
            self.wears(*width, scheme, medium).await;
            let picture = self.picture(*width).await;
            let folder = self.pictures.as_deref().unwrap();
            std::fs::write(folder.join(format!("{name}--{form}.png")), picture).unwrap();
        }
        self.wears(1280, "light", "screen").await;
        faults
    }

    async fn wears(&self, width: u32, scheme: &str, medium: &str) {
        let device = json!({"width": width, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": false});
        self.browser.devtools("Emulation.setDeviceMetricsOverride", device).await;
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.browser.devtools("Emulation.setEmulatedMedia", json!({"media": medium, "features": features})).await;
    }

    /// The whole page, but for what is beyond some ten windows.
    async fn picture(&self, width: u32) -> Vec<u8> {
        let height = self.browser.run("return document.documentElement.scrollHeight", json!([])).await;
        let height = height.as_u64().unwrap().min(9_000);
        let clip = json!({"x": 0, "y": 0, "width": width, "height": height, "scale": 1});
        // Beyond the window only where the page goes on there: else Chromium moves one from right to left aside.
        let beyond = height > u64::from(HEIGHT);
        let asked = json!({"format": "png", "captureBeyondViewport": beyond, "clip": clip});
        let taken = self.browser.devtools("Page.captureScreenshot", asked).await;
        STANDARD.decode(taken["data"].as_str().unwrap()).unwrap()
    }
}

fn lines(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned()).collect()
}
