//! Chromium through its WebDriver. Each test has a browser, a profile and a driver of its own; one runs at a time, because
//! two browsers beside the system they look at are slower than one after the other.

use std::fmt::Display;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::error::WebDriverErrorInner;
use thirtyfour::prelude::*;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::Mutex;

/// Far beyond what anything here takes, so that only what never happens fails.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

const QUIET: [&str; 9] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// Ports are rarely taken, so that this many in a row have another reason.
const STARTS: usize = 8;

static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// The size of what one looks at, in CSS pixels.
#[derive(Clone, Copy)]
pub enum Screen {
    Desk,
    Phone,
}

/// The programs a browser test needs.
pub struct Chromium {
    browser: PathBuf,
    driver: PathBuf,
}

impl Chromium {
    /// Finds them; `None`, with a line saying so, when they are missing and not required.
    pub fn find() -> Option<Self> {
        let browser = ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(program);
        let found = browser.zip(program("chromedriver"));
        if found.is_none() {
            let missing =
                "chromium and chromedriver are not installed (apt-get install chromium chromium-driver)";
            let required =
                std::env::var("TODO_TEST_REQUIRE").is_ok_and(|required| required.contains("chromium"));
            assert!(!required, "{missing}, and TODO_TEST_REQUIRE names chromium");
            eprintln!("skipped: {missing}");
        }
        found.map(|(browser, driver)| Self { browser, driver })
    }

    /// Runs a test in a new browser and closes it, also when the test fails.
    pub async fn shows<T>(&self, screen: Screen, test: impl FnOnce(Tab) -> T)
    where
        T: Future<Output = ()> + Send + 'static,
    {
        let _turn = ONE_AT_A_TIME.lock().await;
        let service = Service::start(&self.driver).await;
        let profile = tempfile::tempdir().unwrap();
        let tab = self.tab(&service, screen, &profile).await;
        let outcome = tokio::spawn(test(tab.clone())).await;
        tab.driver.quit().await.unwrap();
        if let Err(failure) = outcome {
            resume_unwind(failure.into_panic());
        }
    }

    async fn tab(&self, service: &Service, screen: Screen, profile: &TempDir) -> Tab {
        let mut capabilities = DesiredCapabilities::chrome();
        capabilities.set_binary(&self.browser.to_string_lossy()).unwrap();
        let folder = format!("--user-data-dir={}", profile.path().display());
        // `computedName` is what a screen reader is told.
        let names = "--enable-blink-features=ComputedAccessibilityInfo";
        for argument in
            QUIET.into_iter().chain([folder.as_str(), names, "--lang=en-GB", "--window-size=1280,800"])
        {
            capabilities.add_arg(argument).unwrap();
        }
        if matches!(screen, Screen::Phone) {
            let phone =
                json!({"deviceMetrics": {"width": 390, "height": 844, "pixelRatio": 2.0, "touch": true}});
            capabilities.add_experimental_option("mobileEmulation", phone).unwrap();
        }
        Tab { driver: WebDriver::new(&service.url, capabilities).await.unwrap() }
    }
}

/// A running chromedriver, ended with this value.
struct Service {
    url: String,
    _process: Child,
    // A closed pipe would end the driver at its next line.
    _lines: Lines<BufReader<ChildStdout>>,
}

impl Service {
    /// Starts it on a port of its own choice.
    async fn start(driver: &PathBuf) -> Self {
        // It takes a free port of ::1 and then the same one of 127.0.0.1, where a connection of another test
        // may have it; then it ends, and another start takes another port.
        for _ in 0..STARTS {
            if let Some(service) = Self::once(driver).await {
                return service;
            }
        }
        panic!("chromedriver ended {STARTS} times before it listened");
    }

    /// Starts it and reads the port it prints; `None` when it ends before that.
    async fn once(driver: &PathBuf) -> Option<Self> {
        let mut process =
            Command::new(driver).arg("--port=0").stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        while let Some(line) = lines.next_line().await.unwrap() {
            if let Some((_, port)) = line.rsplit_once("successfully on port ") {
                let url = format!("http://127.0.0.1:{}", port.trim_end_matches('.'));
                return Some(Self { url, _process: process, _lines: lines });
            }
        }
        None
    }
}

/// What a person sees and does.
#[derive(Clone)]
pub struct Tab {
    driver: WebDriver,
}

impl Tab {
    /// Opens an address.
    pub async fn opens(&self, url: &str) {
        self.driver.goto(url).await.unwrap();
    }

    pub async fn reloads(&self) {
        self.driver.refresh().await.unwrap();
    }

    pub async fn address(&self) -> String {
        self.driver.current_url().await.unwrap().into()
    }

    /// Waits for what an XPath names to be there and visible.
    pub async fn sees(&self, xpath: impl Display) -> WebElement {
        // An element that the page has just replaced is not one that is seen.
        let shown = |element: WebElement| async move { Ok(element.is_displayed().await.unwrap_or(false)) };
        let query =
            self.driver.query(By::XPath(xpath.to_string())).wait(PATIENCE, LOOK_AGAIN).with_filter(shown);
        match query.first().await {
            Ok(element) => element,
            Err(error) => {
                panic!("{xpath} is not to be seen ({error}); the page says:\n{}", self.text().await)
            }
        }
    }

    /// Waits for what an XPath names to be gone.
    pub async fn sees_no_more(&self, xpath: impl Display) {
        let query = self.driver.query(By::XPath(xpath.to_string())).wait(PATIENCE, LOOK_AGAIN);
        if query.wait_until_gone().await.is_err() {
            panic!("{xpath} is still there; the page says:\n{}", self.text().await);
        }
    }

    /// Waits for what an XPath names and clicks it; again when the page replaced it meanwhile.
    pub async fn clicks(&self, xpath: impl Display) {
        while let Err(error) = self.sees(&xpath).await.click().await {
            assert!(matches!(*error, WebDriverErrorInner::StaleElementReference(_)), "{xpath}: {error}");
        }
    }

    /// Types where the keyboard is.
    pub async fn types(&self, keys: impl Into<TypingData>) {
        self.driver.active_element().await.unwrap().send_keys(keys).await.unwrap();
    }

    /// Writes a message, sends it with Enter and waits for the end of the answer.
    pub async fn says(&self, message: &str) {
        let answers = self.value("return document.querySelectorAll('.answer').length").await;
        self.sees("//textarea[@id='message']").await.send_keys(message).await.unwrap();
        self.types(Key::Enter).await;
        let next = answers.as_u64().unwrap() + 1;
        self.sees(format!("(//article[@class='answer'])[{next}][@aria-busy='false']")).await;
    }

    /// What a script returns.
    pub async fn value(&self, script: &str) -> Value {
        self.driver.execute(script, Vec::new()).await.unwrap().json().clone()
    }

    async fn text(&self) -> String {
        self.value("return document.body.innerText").await.as_str().unwrap_or_default().to_owned()
    }
}

fn program(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}
