//! The few words of Redis' protocol that are needed (RESP2, <https://redis.io/docs/latest/develop/reference/protocol-spec/>).

use std::io::{self, Error, ErrorKind};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::config::Redis;

/// The largest piece of an answer, bytes.
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// The most pieces of one answer.
const MOST_PIECES: usize = 4 * 1024 * 1024;

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    /// A word, a number or bytes as text.
    Text(String),
    /// Nothing.
    Nil,
    /// Several.
    List(Vec<Self>),
}

impl Reply {
    /// The members of a hash: field and value by turns.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let list = if let Self::List(list) = self { list.as_slice() } else { &[] };
        list.chunks_exact(2).filter_map(|pair| match pair {
            [Self::Text(field), Self::Text(value)] => Some((field.as_str(), value.as_str())),
            _ => None,
        })
    }
}

/// A connection that is signed in.
#[derive(Debug)]
pub(super) struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    /// Connects, signs in and chooses the database.
    ///
    /// # Errors
    /// When Redis cannot be reached or refuses.
    pub(super) async fn open(redis: &Redis) -> io::Result<Self> {
        let stream = TcpStream::connect((redis.host.as_str(), redis.port)).await?;
        stream.set_nodelay(true)?;
        let mut connection = Self { stream: BufReader::new(stream) };
        let mut hello = Vec::new();
        if let Some(password) = &redis.password {
            let user = redis.user.clone();
            hello.push(
                ["AUTH".to_owned()].into_iter().chain(user).chain([password.reveal().clone()]).collect(),
            );
        }
        if redis.database != 0 {
            hello.push(vec!["SELECT".to_owned(), redis.database.to_string()]);
        }
        connection.ask(&hello).await?;
        Ok(connection)
    }

    /// Sends commands in one go and takes their answers.
    ///
    /// # Errors
    /// When the connection fails, or Redis refuses any of them.
    pub(super) async fn ask(&mut self, commands: &[Vec<String>]) -> io::Result<Vec<Reply>> {
        let mut out = String::new();
        for command in commands {
            out.push_str(&format!("*{}\r\n", command.len()));
            for word in command {
                out.push_str(&format!("${}\r\n{word}\r\n", word.len()));
            }
        }
        self.stream.get_mut().write_all(out.as_bytes()).await?;
        let mut replies = Vec::with_capacity(commands.len());
        for _ in commands {
            replies.push(self.reply().await?);
        }
        Ok(replies)
    }

    async fn reply(&mut self) -> io::Result<Reply> {
        let head = self.line().await?;
        let count = |text: &str| text.parse::<i64>().map_err(|_| unclear(&head));
        match head.split_at_checked(1) {
            Some(("+" | ":", text)) => Ok(Reply::Text(text.to_owned())),
            Some(("-", error)) => Err(Error::other(format!("Redis refuses: {error}"))),
            Some(("$", text)) => self.bulk(count(text)?).await,
            Some(("*", text)) => {
                let pieces = usize::try_from(count(text)?).unwrap_or(0);
                if pieces > MOST_PIECES {
                    return Err(unclear(&head));
                }
                let mut list = Vec::new();
                for _ in 0..pieces {
                    list.push(self.piece().await?);
                }
                Ok(Reply::List(list))
            }
            _ => Err(unclear(&head)),
        }
    }

    /// A piece of a list, which is no list itself in the answers that are asked for.
    async fn piece(&mut self) -> io::Result<Reply> {
        let head = self.line().await?;
        match head.split_at_checked(1) {
            Some((":" | "+", text)) => Ok(Reply::Text(text.to_owned())),
            Some(("$", text)) => {
                let length = text.parse().map_err(|_| unclear(&head))?;
                self.bulk(length).await
            }
            _ => Err(unclear(&head)),
        }
    }

    async fn bulk(&mut self, length: i64) -> io::Result<Reply> {
        let Ok(length) = usize::try_from(length) else { return Ok(Reply::Nil) };
        if length > MOST_BYTES {
            return Err(Error::new(ErrorKind::InvalidData, "Redis sends more than is taken"));
        }
        let mut bytes = vec![0; length + 2];
        self.stream.read_exact(&mut bytes).await?;
        bytes.truncate(length);
        Ok(Reply::Text(String::from_utf8_lossy(&bytes).into_owned()))
    }

    async fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).await? == 0 {
            return Err(Error::new(ErrorKind::UnexpectedEof, "Redis closed the connection"));
        }
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    }
}

fn unclear(head: &str) -> Error {
    let shown: String = head.chars().take(60).collect();
    Error::new(ErrorKind::InvalidData, format!("Redis answers what is not understood: `{shown}`"))
}
