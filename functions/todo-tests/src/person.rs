use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};

/// Somebody who talks to the chat function. One person is one conversation, until [`Person::starts_anew`].
pub struct Person {
    http: reqwest::Client,
    url: String,
    token: String,
    /// The conversation this person is in.
    pub conversation: Option<i64>,
}

/// What came back from one message.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The words of the answer.
    pub text: String,
    /// Every tool call of the turn: name, arguments, result.
    pub tool_calls: Vec<Value>,
}

impl Reply {
    /// The names of the tools that were called, in order.
    pub fn tools(&self) -> Vec<&str> {
        self.tool_calls.iter().filter_map(|call| call["name"].as_str()).collect()
    }

    /// The first call of a tool.
    pub fn call(&self, tool: &str) -> &Value {
        self.tool_calls.iter().find(|call| call["name"] == tool).unwrap_or_else(|| {
            panic!("{tool} was not called; called: {:?}; said: {}", self.tools(), self.text)
        })
    }
}

impl Person {
    pub(crate) fn new(base: String, name: &str, token: &str) -> Self {
        let url = format!("{base}/api/{name}/chat");
        Self { http: reqwest::Client::new(), url, token: token.to_owned(), conversation: None }
    }

    /// Says something and waits for the answer, in Berlin.
    pub async fn says(&mut self, message: &str) -> Reply {
        let mut body = json!({"message": message, "timezone": "Europe/Berlin"});
        if let Some(conversation) = self.conversation {
            body["conversation_id"] = json!(conversation);
        }
        let response = self.posts(&body).await;
        let status = response.status();
        let answer: Value = response.json().await.unwrap();
        assert!(status.is_success(), "{message}: {status} {answer}");
        self.conversation = answer["conversation_id"].as_i64();
        Reply {
            text: answer["response"].as_str().unwrap().to_owned(),
            tool_calls: answer["tool_calls"].as_array().unwrap().clone(),
        }
    }

    /// Forgets the conversation; the next message begins another.
    pub fn starts_anew(&mut self) {
        self.conversation = None;
    }

    /// The person's tasks, oldest first.
    pub async fn tasks(&self) -> Vec<Value> {
        let params = json!({"status": "all", "sort": "created", "order": "asc", "limit": 200});
        let answer: Value =
            self.posts(&json!({"type": "tasks.list", "params": params})).await.json().await.unwrap();
        answer["data"].as_array().unwrap_or_else(|| panic!("no tasks: {answer}")).clone()
    }

    /// The titles of the person's tasks that are not completed, oldest first.
    pub async fn pending(&self) -> Vec<String> {
        let title = |task: &Value| task["title"].as_str().map(str::to_owned);
        self.tasks().await.iter().filter(|task| task["completed"] == false).filter_map(title).collect()
    }

    /// Sends any body to the chat endpoint.
    pub async fn posts(&self, body: &Value) -> Response {
        self.request().json(body).send().await.unwrap()
    }

    /// A request to the chat endpoint with this person's token.
    pub fn request(&self) -> RequestBuilder {
        self.http.post(&self.url).bearer_auth(&self.token)
    }
}
