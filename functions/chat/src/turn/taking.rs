use todo_agent::{Agent, Ending, Item, Run, ToolCall, drive};
use todo_store::conversations::Conversation;
use tokio::sync::mpsc;

use super::lease::Lease;
use super::opening::Opening;
use super::person_tools::PersonTools;
use super::sessions::{Entry, State, keys};
use super::{Asked, Begun, Ended, Event, Turns};
use crate::error::Problem;

/// What is said of a turn that ran out of time; the conversation would otherwise end in silence.
const OUT_OF_TIME: &str = "That took too long, and I stopped. Ask what is on your list before you try again.";

/// One turn that has its conversation to itself.
pub(super) struct Turn<'a> {
    pub turns: &'a Turns,
    pub asked: &'a Asked,
    pub agent: &'a Agent,
    pub lease: &'a Lease<'a>,
    pub events: &'a mpsc::UnboundedSender<Event>,
}

impl Turn<'_> {
    pub async fn run(&self, conversation: Conversation, created: bool) -> Result<Ended, Problem> {
        let id = conversation.conversation_id;
        let loaded = self.turns.sessions.load(&self.asked.tenant, id).await?;
        let opening = Opening::of(loaded, &self.asked.words)?;
        let now = jiff::Timestamp::now().to_zoned(self.asked.timezone.clone());
        let mut run = Run::start(self.agent, opening.turn(now))
            .map_err(|refused| Problem::invalid(refused.to_string()))?;
        let written = run.new_items().len();
        let message = self.begin(id, &opening, run.new_items()).await?;
        let (turn_id, first_answer) = (opening.turn_id.clone(), opening.first_answer());
        self.tell(Event::Begun(Begun { conversation, created, message, turn_id, first_answer }));
        let tools = PersonTools::new(self, id, opening.state());
        let ending = self.drive(&mut run, &tools).await;
        let mut items = run.new_items().get(written..).unwrap_or_default().to_vec();
        if ending.is_none() {
            items.extend(out_of_time(&items, tools.noted()));
        }
        self.end(id, &opening, &items, ending).await
    }

    /// Writes the message down, unless it is there, and notes that its turn is open.
    async fn begin(&self, id: i64, opening: &Opening, items: &[Item]) -> Result<Option<Entry>, Problem> {
        let (sessions, tenant) = (&self.turns.sessions, &self.asked.tenant);
        if opening.is_resumed {
            sessions.note(tenant, id, &opening.state()).await?;
            return Ok(None);
        }
        let mut first = opening.lost();
        first.extend(keys::of_turn(&opening.turn_id, items, 0));
        let entries = sessions.write(tenant, id, &first, &opening.state()).await?;
        Ok(entries.into_iter().rfind(|entry| matches!(entry.item, Item::User { .. })))
    }

    /// Everything between the message and the answer; `None` when time ran out.
    async fn drive(&self, run: &mut Run, tools: &PersonTools<'_>) -> Option<Ending> {
        let mut watch = |event: todo_agent::Event<'_>| match event {
            todo_agent::Event::Delta(words) => self.tell(Event::Delta(words.to_owned())),
            todo_agent::Event::Calling(call) => self.tell(Event::Calling(call.clone())),
            todo_agent::Event::Called(call, outcome) => {
                self.tell(Event::Called(call.clone(), outcome.clone()));
            }
        };
        let driven = drive(run, self.agent, &self.turns.model, tools, &mut watch);
        tokio::time::timeout(self.turns.limits.turn, driven).await.ok()
    }

    /// Writes the rest down and closes the turn.
    async fn end(
        &self,
        id: i64,
        opening: &Opening,
        items: &[Item],
        ending: Option<Ending>,
    ) -> Result<Ended, Problem> {
        let approval = match &ending {
            Some(Ending::Approval(approval)) => Some(approval.clone()),
            _ => None,
        };
        let kept = approval.as_ref().and_then(|approval| serde_json::to_value(approval).ok());
        let state = State { approval: kept, turn: None };
        let keyed = keys::of_turn(&opening.turn_id, items, opening.first_answer());
        let keyed = opening.not_yet_written(keyed);
        let (tenant, owner) = (&self.asked.tenant, self.lease.owner());
        let entries = self.turns.sessions.finish(tenant, id, owner, &keyed, &state).await?;
        let Some(ending) = ending else { return Err(Problem::timed_out(OUT_OF_TIME)) };
        Ok(Ended { conversation_id: id, response: ending.text().to_owned(), approval, entries })
    }

    fn tell(&self, event: Event) {
        // Nobody listens any more: the turn goes on.
        let _ = self.events.send(event);
    }
}

/// What a turn leaves that ran out of time. A change that was cut off may have been made or not; the agent reads it as a
/// call whose result was lost.
fn out_of_time(items: &[Item], noted: Vec<ToolCall>) -> Vec<Item> {
    let settled =
        |call: &ToolCall| items.iter().any(|item| matches!(item, Item::ToolCall(c) if c.id == call.id));
    let cut = noted.into_iter().filter(|call| !settled(call)).map(Item::ToolCall);
    cut.chain([Item::assistant(OUT_OF_TIME)]).collect()
}
