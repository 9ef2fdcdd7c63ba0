//! The page as a person uses it, in Chromium: by link, by sentence, by keyboard, on a phone.

mod browser;

use std::fmt::Display;
use std::time::Duration;

use browser::{Chromium, Screen, Tab};
use serde_json::json;
use thirtyfour::Key;
use todo_tests::{Engine, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_sentence_on_the_page_becomes_a_task_that_is_still_there_after_a_reload() {
    let Some(chromium) = Chromium::find() else { return };
    let world = World::on(Engine::Sqlite).await.unwrap();
    let link = link(&world, "ada");
    let test = async move |tab: Tab| {
        tab.opens(&link).await;
        tab.sees("//h2[contains(., 'What needs doing?')]").await;
        assert!(!tab.address().await.contains("token"), "the token must leave the address bar");
        tab.says("Add call mum tomorrow at 6pm").await;
        tab.sees(chip("add_task")).await;
        tab.sees(format!("{}//li[contains(., 'Tomorrow')]", task("call mum"))).await;
        tab.says("Add water the plants").await;
        tab.sees(task("water the plants")).await;
        tab.sees("//span[@id='tasks-count' and .='2 pending']").await;

        tab.clicks(format!("{}//*[@role='checkbox']", task("call mum"))).await;
        tab.sees(said("Complete task 1")).await;
        tab.sees_no_more(task("call mum")).await;
        tab.clicks("//label[.='Completed']").await;
        tab.sees(format!("{}//*[@aria-checked='true']", task("call mum"))).await;

        tab.reloads().await;
        tab.sees(said("Add water the plants")).await;
        tab.sees(said("Complete task 1")).await;
        tab.sees(task("water the plants")).await;
    };
    chromium.shows(Screen::Desk, test).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_can_still_be_answered_after_a_reload() {
    let Some(chromium) = Chromium::find() else { return };
    let world = World::on(Engine::Sqlite).await.unwrap();
    let link = link(&world, "ada");
    let test = async move |tab: Tab| {
        tab.opens(&link).await;
        tab.says("Add buy milk and add buy bread").await;
        tab.sees(task("buy bread")).await;
        tab.says("Delete tasks 1 and 2").await;
        tab.sees("//button[.='Yes']").await;
        tab.reloads().await;
        tab.sees(task("buy milk")).await;
        tab.clicks("//button[.='Yes']").await;
        tab.sees("//*[@class='empty']//h3[.='Nothing to do']").await;
        tab.reloads().await;
        tab.sees(said("Yes")).await;
        tab.sees_no_more("//button[.='Yes']").await;
    };
    chromium.shows(Screen::Desk, test).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_is_resumed_from_the_list_renamed_and_deleted() {
    let Some(chromium) = Chromium::find() else { return };
    let world = World::on(Engine::Sqlite).await.unwrap();
    let link = link(&world, "ada");
    let test = async move |tab: Tab| {
        tab.opens(&link).await;
        tab.says("Add book the dentist").await;
        tab.says("What is on my list?").await;
        tab.sees(chip("list_tasks")).await;
        tab.clicks("//aside//button[contains(., 'New conversation')]").await;
        tab.sees_no_more(said("Add book the dentist")).await;
        tab.clicks("(//button[@class='conversation'])[1]").await;
        tab.sees(said("What is on my list?")).await;
        tab.says("Complete task 1").await;
        tab.sees("//*[@class='empty']//h3[.='Nothing to do']").await;
        tab.sees("//button[@class='conversation' and @aria-current='page']").await;

        tab.value("document.querySelector('[aria-label^=\"Rename\"]').click()").await;
        tab.types(Key::Control + "a").await;
        tab.types("Teeth" + Key::Enter).await;
        tab.sees("//h1[.='Teeth']").await;
        tab.value("document.querySelector('[aria-label^=\"Delete “Teeth”\"]').click()").await;
        tab.clicks("//dialog//button[.='Delete']").await;
        tab.sees("//h2[contains(., 'What needs doing?')]").await;
        tab.reloads().await;
        tab.sees("//*[@id='conversation-list']/p[contains(., 'kept here')]").await;
    };
    chromium.shows(Screen::Desk, test).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_leaves_nothing_and_a_refused_token_keeps_the_draft() {
    let Some(chromium) = Chromium::find() else { return };
    let world = World::on(Engine::Sqlite).await.unwrap();
    let (link, token) = (link(&world, "ada"), world.token("ada"));
    let forged = format!("{}#token={}.AAAA", world.url() + "/", token.rsplit_once('.').unwrap().0);
    let test = async move |tab: Tab| {
        tab.opens(&link).await;
        tab.says("Add a secret").await;
        tab.types("Half a sentence").await;
        tab.opens(&forged).await;
        tab.sees("//h1[.='You are signed out']").await;
        tab.clicks("//input[@id='token']").await;
        tab.types(token + Key::Enter).await;
        tab.sees(said("Add a secret")).await;
        assert_eq!(tab.value("return document.getElementById('message').value").await, "Half a sentence");

        tab.clicks("//button[@id='sign-out']").await;
        tab.sees("//p[.='You have signed out.']").await;
        let left = "return sessionStorage.length + localStorage.length + document.querySelectorAll('.said, .task').length";
        assert_eq!(tab.value(left).await, 0);
        tab.reloads().await;
        tab.sees("//h1[.='You are signed out']").await;
    };
    chromium.shows(Screen::Desk, test).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn markup_in_a_title_stays_text_and_every_control_has_a_name() {
    let Some(chromium) = Chromium::find() else { return };
    let world = World::on(Engine::Sqlite).await.unwrap();
    let (url, link) = (world.url(), link(&world, "ada"));
    let title = "<img src=x onerror=document.title='owned'> & <b>bold</b>";
    let call = json!({"title": title, "due": "2001-02-03", "priority": "urgent", "tags": ["<i>"], "remind": ["-P1D"]});
    world.function("tool-add-task", "ada").call(call).await.result();
    let test = async move |tab: Tab| {
        tab.opens(&url).await;
        tab.sees("//h1[.='You are signed out']").await;
        every_control_has_a_name(&tab).await;
        tab.opens(&link).await;
        tab.sees("//section[@data-group='overdue']//li[contains(@class, 'overdue')]").await;
        tab.sees("//li[@class='tags'][contains(., '#<i>')]").await;
        let shown = tab.value("return document.querySelector('.task-title').textContent").await;
        assert_eq!(shown, title);
        tab.says("Show my tasks").await;
        assert_eq!(
            tab.value("return document.images.length + document.querySelectorAll('b:not([id])').length")
                .await,
            0
        );
        every_control_has_a_name(&tab).await;
    };
    chromium.shows(Screen::Desk, test).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_shows_one_pane_at_a_time() {
    let Some(chromium) = Chromium::find() else { return };
    let world = World::on(Engine::Sqlite).await.unwrap();
    let link = link(&world, "ada");
    let test = async move |tab: Tab| {
        tab.opens(&link).await;
        tab.clicks("//button[.='Remind me to call mum tomorrow at 6pm']").await;
        tab.sees(chip("add_task")).await;
        tab.clicks("//nav[@class='tabs']//button[contains(., 'Tasks')]").await;
        tab.sees(task("call mum")).await;
        assert_eq!(tab.value("return document.getElementById('talk').checkVisibility()").await, false);
        assert_eq!(tab.value("return document.documentElement.scrollWidth").await, 390);
        every_control_has_a_name(&tab).await;
        tab.clicks("//nav[@class='tabs']//button[contains(., 'Chat')]").await;
        tab.clicks("//button[@aria-label='Show conversations']").await;
        tab.sees("//button[@class='conversation']").await;
        tab.types(Key::Escape).await;
        tab.sees("//button[@aria-label='Show conversations' and @aria-expanded='false']").await;
    };
    chromium.shows(Screen::Phone, test).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_from_elsewhere_appears_by_itself() {
    let Some(chromium) = Chromium::find() else { return };
    let world = World::on(Engine::Sqlite).await.unwrap();
    let link = link(&world, "ada");
    let test = async move |tab: Tab| {
        tab.opens(&link).await;
        tab.sees(LIVE).await;
        // From here on the page asks for nothing: what it shows, it was told.
        let asking = "window.asked = 0; const fetch = window.fetch;
            window.fetch = (...request) => { window.asked += 1; return fetch(...request); };";
        tab.value(asking).await;
        let add = json!({"title": "Call mum", "due": "2001-02-03"});
        world.function("tool-add-task", "ada").call(add).await.result();
        tab.sees(format!("//section[@data-group='overdue']{}", task("call mum"))).await;
        let change = json!({"task_id": 1, "title": "Call dad", "due": null});
        world.function("tool-update-task", "ada").call(change).await.result();
        tab.sees(format!("//section[@data-group='none']{}", task("call dad"))).await;
        tab.sees_no_more(task("call mum")).await;
        world.function("tool-complete-task", "ada").call(json!({"task_id": 1})).await.result();
        tab.sees("//*[@class='empty']//h3[.='Nothing to do']").await;
        tab.clicks("//label[.='Completed']").await;
        tab.sees(format!("{}//*[@aria-checked='true']", task("call dad"))).await;
        world.function("tool-delete-task", "ada").call(json!({"task_id": 1})).await.result();
        tab.sees_no_more(task("call dad")).await;
        assert_eq!(tab.value("return window.asked").await, 0);
    };
    chromium.shows(Screen::Desk, test).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reminder_shows_itself_until_it_is_dealt_with() {
    let Some(chromium) = Chromium::find() else { return };
    let world = World::on(Engine::Sqlite).await.unwrap();
    let link = link(&world, "ada");
    let test = async move |tab: Tab| {
        tab.opens(&link).await;
        tab.sees(LIVE).await;
        for title in ["Call mum", "Call dad"] {
            let now = tab.value("return new Date().toISOString()").await;
            let add = json!({"title": title, "remind": [now]});
            world.function("tool-add-task", "ada").call(add).await.result();
        }
        tab.sees(reminder("Call mum")).await;
        tab.sees(reminder("Call dad")).await;
        every_control_has_a_name(&tab).await;
        tab.clicks(format!("{}//button[starts-with(@aria-label, 'Dismiss')]", reminder("Call dad"))).await;
        tab.sees_no_more(reminder("Call dad")).await;
        tab.sees(task("call dad")).await;
        tab.clicks(format!("{}//button[.='Done']", reminder("Call mum"))).await;
        tab.sees(said("Complete task 1")).await;
        tab.sees_no_more(task("call mum")).await;
    };
    chromium.shows(Screen::Desk, test).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_was_cut_off_is_told_what_it_missed() {
    let Some(chromium) = Chromium::find() else { return };
    let world = World::on(Engine::Sqlite).await.unwrap();
    let link = link(&world, "ada");
    let test = async move |tab: Tab| {
        tab.opens(&link).await;
        tab.sees(LIVE).await;
        tab.value(NOTE_SOCKETS).await;
        tab.value("dispatchEvent(new Event('offline'))").await;
        tab.sees_no_more(LIVE).await;
        let now = tab.value("return new Date().toISOString()").await;
        let add = json!({"title": "Call mum", "remind": [now]});
        world.function("tool-add-task", "ada").call(add).await.result();
        // The task and its reminder are told before the page listens again.
        pushed(&world, 2).await;
        assert_eq!(tab.value("return document.querySelectorAll('.reminder').length").await, 0);

        tab.value("dispatchEvent(new Event('online'))").await;
        tab.sees(reminder("Call mum")).await;
        tab.sees(task("call mum")).await;
        tab.sees(LIVE).await;
        let resumed = "return window.sockets.every((url) => new URL(url).searchParams.has('since'))";
        assert_eq!(tab.value(resumed).await, true);
    };
    chromium.shows(Screen::Desk, test).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_server_is_away_the_page_says_so_and_then_goes_on() {
    let Some(chromium) = Chromium::find() else { return };
    let mut world = World::on(Engine::Sqlite).await.unwrap();
    let link = link(&world, "ada");
    let test = async move |tab: Tab| {
        tab.opens(&link).await;
        tab.says("Add water the plants").await;
        tab.sees(LIVE).await;
        tab.value(NOTE_SOCKETS).await;
        here(world.stop());
        tab.sees("//*[@id='notice'][contains(., 'cannot be reached')]").await;
        tab.sees_no_more(LIVE).await;
        tab.sees(task("water the plants")).await;

        here(world.start());
        tab.sees_no_more("//*[@id='notice' and not(@hidden)]").await;
        tab.sees(LIVE).await;
        let last = "return new URL(window.sockets.at(-1)).searchParams.has('since')";
        assert_eq!(tab.value(last).await, true);
        world.function("tool-add-task", "ada").call(json!({"title": "Call mum"})).await.result();
        tab.sees(task("call mum")).await;
        tab.says("Complete task 1").await;
        tab.sees_no_more(task("water the plants")).await;
    };
    chromium.shows(Screen::Desk, test).await;
}

/// Waits on this thread: what starts and stops a system is not made to change threads meanwhile.
fn here<T>(work: impl Future<Output = T>) -> T {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(work))
}

/// The sign that changes come by themselves.
const LIVE: &str = "//*[@id='tasks-live' and not(@hidden)]";

/// Keeps the address of every socket that the page opens from here on.
const NOTE_SOCKETS: &str = "window.sockets = [];
    window.WebSocket = class extends WebSocket {
        constructor(url, protocols) { window.sockets.push(String(url)); super(url, protocols); }
    };";

/// Waits until so many events have been written down for open pages.
async fn pushed(world: &World, events: u64) {
    const COUNTER: &str = r#"todo_deliveries_total{consumer="event-push-update"} "#;
    let enough = async {
        loop {
            let page = reqwest::get(format!("{}/metrics", world.url())).await.unwrap().text().await.unwrap();
            let counted = page.lines().find_map(|line| line.strip_prefix(COUNTER)?.parse::<u64>().ok());
            if counted.is_some_and(|counted| counted >= events) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), enough).await.unwrap();
}

/// A reminder that is shown, by the title of its task.
fn reminder(title: &str) -> impl Display {
    format!("//section[@id='reminders']/div[p[contains(., '{title}')]]")
}

/// What `todo up` prints.
fn link(world: &World, person: &str) -> String {
    format!("{}/#token={}", world.url(), world.token(person))
}

/// A task in the pane, by its title in any case.
fn task(title: &str) -> impl Display {
    let lower = "translate(., 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')";
    format!("//li[@data-task][p[@class='task-title' and contains({lower}, '{title}')]]")
}

/// A finished tool call.
fn chip(tool: &str) -> impl Display {
    format!("//details[@data-state='done']//code[.='{tool}']")
}

/// A message the person sent.
fn said(text: &str) -> impl Display {
    format!("//article[@class='said']/p[.='{text}']")
}

/// What one can operate has a name for those who do not see it, and no id stands twice.
async fn every_control_has_a_name(tab: &Tab) {
    let controls = "const controls = document.querySelectorAll('button, input, textarea, summary, a[href], [tabindex=\"0\"]');
        const reached = [...controls].filter((control) => control.checkVisibility({ visibilityProperty: true }));
        if (reached.length === 0) return ['no controls at all'];
        return reached.filter((control) => !control.computedName?.trim()).map((control) => control.outerHTML);";
    assert_eq!(tab.value(controls).await, json!([]));
    let ids = "const ids = [...document.querySelectorAll('[id]')].map((element) => element.id);
        return ids.filter((id, i) => ids.indexOf(id) !== i);";
    assert_eq!(tab.value(ids).await, json!([]));
}
