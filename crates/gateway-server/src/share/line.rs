//! The connection to the Redis that gateways share: opened when it is needed, opened again after it broke.

use std::time::Duration;

use llm_providers::transport::HyperTransport;
use llm_types::{Error, ErrorKind, Result};
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, FromRedisValue, Pipeline, RedisConnectionInfo, RedisError, Script, ToRedisArgs,
};
use tokio::runtime::Handle;
use tokio::sync::Mutex;

use crate::config::Redis;

/// How long connecting, and an answer, may take; a Redis that is slower is away.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// Gives the connection to the Redis of a configuration. One connection serves all who ask: what they ask
/// goes out in turn without waiting for earlier answers.
pub(crate) struct Lines {
    transport: HyperTransport,
    /// Drives the connection.
    control: Handle,
    open: Mutex<Option<(Redis, MultiplexedConnection)>>,
}

/// A connection to Redis. Nothing of it waits longer than two seconds.
pub(crate) struct Line<'a> {
    lines: &'a Lines,
    connection: MultiplexedConnection,
}

impl std::fmt::Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lines").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Line<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Line").finish_non_exhaustive()
    }
}

impl Lines {
    /// No connection yet. `transport` says whom to trust, connections are driven on `control`.
    pub(crate) fn new(transport: HyperTransport, control: Handle) -> Self {
        Self { transport, control, open: Mutex::new(None) }
    }

    /// The connection to a Redis: the one there is, or a new one.
    ///
    /// # Errors
    /// [`ErrorKind::Unreachable`] when there is no connection within two seconds, or Redis refuses the
    /// password.
    pub(crate) async fn line(&self, redis: &Redis) -> Result<Line<'_>> {
        let mut open = self.open.lock().await;
        let connection = match &*open {
            Some((to, connection)) if to == redis => connection.clone(),
            _ => {
                *open = None;
                let opened = tokio::time::timeout(PATIENCE, self.connect(redis)).await;
                let connection = opened.map_err(|_| away("no connection in time"))??;
                *open = Some((redis.clone(), connection.clone()));
                connection
            }
        };
        Ok(Line { lines: self, connection })
    }

    /// Connects, signs in and chooses the database.
    async fn connect(&self, redis: &Redis) -> Result<MultiplexedConnection> {
        let stream = self.transport.direct(&redis.host, redis.port, redis.tls).await?;
        let mut info = RedisConnectionInfo::default().set_db(i64::from(redis.database));
        if let Some(user) = &redis.user {
            info = info.set_username(user.as_str());
        }
        if let Some(password) = &redis.password {
            info = info.set_password(password.reveal().as_str());
        }
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(PATIENCE));
        let opened = MultiplexedConnection::new_with_config(&info, stream, config).await;
        let (connection, driver) = opened.map_err(|error| away(&error.to_string()))?;
        self.control.spawn(driver);
        Ok(connection)
    }
}

impl Line<'_> {
    /// Sends commands in one go and gives their answers, in their order.
    ///
    /// # Errors
    /// [`ErrorKind::Unreachable`] when Redis is away or refuses one of them.
    pub(crate) async fn ask<T: FromRedisValue>(&mut self, commands: &Pipeline) -> Result<T> {
        let answer = commands.query_async(&mut self.connection).await;
        self.checked(answer).await
    }

    /// Runs a Lua script with keys and arguments; Redis keeps the script, its digest is sent.
    ///
    /// # Errors
    /// As [`Line::ask`].
    pub(crate) async fn run<T: FromRedisValue>(
        &mut self,
        script: &Script,
        keys: &[String],
        arguments: impl ToRedisArgs,
    ) -> Result<T> {
        let mut call = script.prepare_invoke();
        for key in keys {
            call.key(key);
        }
        let answer = call.arg(arguments).invoke_async(&mut self.connection).await;
        self.checked(answer).await
    }

    /// What Redis answered; a connection that is of no use any more is let go.
    async fn checked<T>(&self, answer: redis::RedisResult<T>) -> Result<T> {
        match answer {
            Ok(answer) => Ok(answer),
            Err(error) => {
                if is_broken(&error) {
                    *self.lines.open.lock().await = None;
                }
                Err(away(&error.to_string()))
            }
        }
    }
}

/// Whether the connection cannot be used any more, or nobody knows whether it can.
fn is_broken(error: &RedisError) -> bool {
    error.is_io_error()
        || error.is_timeout()
        || error.is_connection_dropped()
        || error.is_unrecoverable_error()
}

fn away(why: &str) -> Error {
    Error::new(ErrorKind::Unreachable, format!("Redis is away: {why}"))
}

#[cfg(test)]
mod tests;
