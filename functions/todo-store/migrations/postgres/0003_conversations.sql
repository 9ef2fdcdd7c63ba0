-- Conversations with the assistant and their messages.

CREATE TABLE conversations (
    user_id TEXT COLLATE "C" NOT NULL,
    conversation_id BIGINT NOT NULL,
    title TEXT NOT NULL,
    -- What the agent goes on with, such as an approval it waits for: JSON.
    state TEXT,
    last_message_id BIGINT NOT NULL DEFAULT 0,
    -- Who answers at this moment, and until when the claim holds if they are never heard of again.
    turn_owner TEXT COLLATE "C",
    turn_until BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CONSTRAINT conversations_key PRIMARY KEY (user_id, conversation_id),
    CONSTRAINT conversations_user_fkey FOREIGN KEY (user_id) REFERENCES users (user_id) ON DELETE CASCADE,
    CONSTRAINT conversations_turn_check CHECK ((turn_owner IS NULL) = (turn_until IS NULL))
);

CREATE TABLE messages (
    user_id TEXT COLLATE "C" NOT NULL,
    conversation_id BIGINT NOT NULL,
    message_id BIGINT NOT NULL,
    role TEXT COLLATE "C" NOT NULL,
    -- JSON in the shape the agent gives it.
    content TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT messages_key PRIMARY KEY (user_id, conversation_id, message_id),
    CONSTRAINT messages_conversation_fkey FOREIGN KEY (user_id, conversation_id)
        REFERENCES conversations (user_id, conversation_id) ON DELETE CASCADE,
    CONSTRAINT messages_role_check CHECK (role IN ('user', 'assistant', 'tool_call', 'tool_result'))
);

ALTER TABLE conversations ENABLE ROW LEVEL SECURITY;
ALTER TABLE messages ENABLE ROW LEVEL SECURITY;
CREATE POLICY conversations_tenant ON conversations TO todo_app USING (user_id = current_setting('app.user_id', true));
CREATE POLICY messages_tenant ON messages TO todo_app USING (user_id = current_setting('app.user_id', true));
GRANT SELECT, INSERT, UPDATE, DELETE ON conversations, messages TO todo_app;
