//! A small reader of JSON (RFC 8259), and what was written read back.
use crate::stories;
use asupersync_timeline::{Timeline, Window, json};
use std::collections::BTreeMap;

/// A value. Numbers are whole here.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(u64),
    Text(String),
    List(Vec<Value>),
    Object(BTreeMap<String, Value>),
}

impl Value {
    fn at(&self, name: &str) -> &Value {
        match self {
            Value::Object(fields) => fields.get(name).unwrap_or_else(|| panic!("no field `{name}`")),
            other => panic!("{other:?} is no object"),
        }
    }

    fn list(&self) -> &[Value] {
        match self {
            Value::List(list) => list,
            other => panic!("{other:?} is no list"),
        }
    }

    fn number(&self) -> Option<usize> {
        match self {
            Value::Number(number) => Some(*number as usize),
            Value::Null => None,
            other => panic!("{other:?} is no number"),
        }
    }
}

/// Reads one value and nothing after it.
pub(crate) fn read(text: &str) -> Result<Value, String> {
    let mut reader = Reader { left: text };
    let value = reader.value()?;
    reader.blank();
    if reader.left.is_empty() { Ok(value) } else { Err(reader.wrong("nothing more")) }
}

struct Reader<'a> {
    left: &'a str,
}

impl Reader<'_> {
    fn wrong(&self, expected: &str) -> String {
        format!("expected {expected} at `{}`", self.left.chars().take(30).collect::<String>())
    }

    fn blank(&mut self) {
        self.left = self.left.trim_start_matches([' ', '\n', '\r', '\t']);
    }

    fn take(&mut self, word: &str) -> bool {
        self.blank();
        match self.left.strip_prefix(word) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }

    fn value(&mut self) -> Result<Value, String> {
        self.blank();
        match self.left.chars().next() {
            Some('{') => {
                self.take("{");
                let mut fields = BTreeMap::new();
                let mut more = !self.take("}");
                while more {
                    self.blank();
                    let name = self.text()?;
                    if !self.take(":") {
                        return Err(self.wrong("a colon"));
                    }
                    if fields.insert(name.clone(), self.value()?).is_some() {
                        return Err(format!("`{name}` stands there twice"));
                    }
                    more = self.more('}')?;
                }
                Ok(Value::Object(fields))
            }
            Some('[') => {
                self.take("[");
                let mut list = Vec::new();
                let mut more = !self.take("]");
                while more {
                    list.push(self.value()?);
                    more = self.more(']')?;
                }
                Ok(Value::List(list))
            }
            Some('"') => self.text().map(Value::Text),
            Some('0'..='9') => {
                let end = self.left.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.left.len());
                let (digits, left) = self.left.split_at(end);
                self.left = left;
                digits.parse().map(Value::Number).map_err(|why| why.to_string())
            }
            _ if self.take("null") => Ok(Value::Null),
            _ if self.take("true") => Ok(Value::Bool(true)),
            _ if self.take("false") => Ok(Value::Bool(false)),
            _ => Err(self.wrong("a value")),
        }
    }

    fn more(&mut self, end: char) -> Result<bool, String> {
        if self.take(",") {
            Ok(true)
        } else if self.take(end.encode_utf8(&mut [0; 4])) {
            Ok(false)
        } else {
            Err(self.wrong("a comma or an end"))
        }
    }

    fn text(&mut self) -> Result<String, String> {
        let mut out = String::new();
        let mut chars = self.left.char_indices();
        if chars.next().map(|(_, c)| c) != Some('"') {
            return Err(self.wrong("a text"));
        }
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.left = &self.left[at + 1..];
                    return Ok(out);
                }
                '\\' => match chars.next().map(|(_, c)| c) {
                    Some('u') => {
                        let digits: String = chars.by_ref().take(4).map(|(_, c)| c).collect();
                        let code = u32::from_str_radix(&digits, 16).map_err(|why| why.to_string())?;
                        out.push(char::from_u32(code).ok_or("half of a pair")?);
                    }
                    Some(c @ ('"' | '\\')) => out.push(c),
                    other => return Err(format!("no escape: {other:?}")),
                },
                c if c.is_control() => return Err(format!("{c:?} in a text")),
                c => out.push(c),
            }
        }
        Err("a text has no end".into())
    }
}

#[test]
fn the_reader_refuses_what_is_no_json() {
    for bad in ["", "{", "[1,]", "{\"a\":1,}", "\"a", "\"\n\"", "\"\\x\"", "1 2", "{\"a\":1,\"a\":2}", "nul"]
    {
        assert!(read(bad).is_err(), "`{bad}` was read");
    }
    let value = read("{\"a\": [1, null, true, \"\\u003c\\\"\"]}").expect("this is JSON");
    assert_eq!(value.at("a").list()[3], Value::Text("<\"".into()));
}

#[test]
fn what_was_written_reads_back_as_the_same_model() {
    for story in stories::all() {
        let run = story.run();
        let line = Timeline::of(&run);
        let window = Window::around(&line, usize::MAX, usize::MAX);
        let value = read(&json(&line, &window)).expect("it can be read");
        assert_eq!(value.at("version"), &Value::Number(1));
        assert_eq!(value.at("events").number(), Some(run.events.len()));
        assert_eq!(value.at("focus").number(), line.focus());
        let tasks = value.at("tasks").list();
        assert_eq!(tasks.len(), line.tasks.len());
        for (read, task) in tasks.iter().zip(&line.tasks) {
            assert_eq!(read.at("path"), &Value::Text(task.path.clone()));
            assert_eq!(read.at("id"), &Value::Text(task.id.as_u64().to_string()));
            assert_eq!(read.at("parent").number(), task.parent);
            assert_eq!(read.at("region").number(), task.region);
            assert_eq!((read.at("from").number(), read.at("to").number()), (Some(task.from), task.to));
        }
        let order: Vec<_> = value.at("order").list().iter().filter_map(Value::number).collect();
        assert_eq!(order, line.order);
        let spans = |name: &str| -> Vec<_> {
            value.at(name).list().iter().map(|v| (v.at("from").number(), v.at("to").number())).collect()
        };
        let of = |from: usize, to: Option<usize>| (Some(from), to);
        assert_eq!(spans("regions"), line.regions.iter().map(|r| of(r.from, r.to)).collect::<Vec<_>>());
        assert_eq!(spans("scopes"), line.scopes.iter().map(|s| of(s.from, s.to)).collect::<Vec<_>>());
        assert_eq!(spans("waits"), line.waits.iter().map(|w| of(w.from, w.to)).collect::<Vec<_>>());
        assert_eq!(spans("arrows"), line.arrows.iter().map(|a| of(a.from, Some(a.to))).collect::<Vec<_>>());
        let permits = line.obligations.iter().map(|o| of(o.from, o.settled.map(|s| s.1)));
        assert_eq!(spans("permits"), permits.collect::<Vec<_>>());
        every_event_is_there(&value, &line);
    }
}

/// Every event that has a row is there as its line of the trace.
fn every_event_is_there(value: &Value, line: &Timeline<'_>) {
    let mut read: Vec<trace::Event> = Vec::new();
    for row in value.at("rows").list() {
        for event in row.at("events").list() {
            let Value::Text(text) = event else { panic!("{event:?} is no text") };
            read.push(text.parse().expect("a line of the trace"));
        }
    }
    // Moves of the clock that follow each other are one row.
    let quiet = ["decision", "checkpoint", "task-poll", "timer-arm", "timer-disarm", "time-advance"];
    let events = line.run.events.iter().filter(|event| !quiet.contains(&event.label.name()));
    read.retain(|event| event.label.name() != "time-advance");
    assert!(read.iter().eq(events));
}
