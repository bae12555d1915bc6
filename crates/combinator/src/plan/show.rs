//! A [`Plan`] as a tree of text.
use super::{Estimate, Node, Plan};
use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use core::fmt;

impl<T, E, C> fmt::Display for Plan<T, E, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        line(&self.node, f)?;
        below(&self.node, "", f)
    }
}

impl<T, E, C> fmt::Debug for Plan<T, E, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn line<T, E, C>(node: &Node<T, E, C>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let text: Cow<'_, str> = match node {
        Node::Done => "done".into(),
        Node::Never => "never".into(),
        Node::Leaf(leaf) => format!("{}{}", leaf.name, promise(&leaf.estimate)).into(),
        Node::Sequence(_) => "sequence".into(),
        Node::Join(_) => "join".into(),
        Node::Race(_) => "race".into(),
        Node::FirstOk(_) => "first ok".into(),
        Node::Timeout(span, _) => format!("timeout of {span:?}").into(),
        Node::Retry { attempts, pause, .. } => format!("retry, {attempts} attempts, {pause:?} apart").into(),
        Node::Hedge(how, _) if how.most() == usize::MAX => {
            format!("hedge, another after {:?}", how.delay()).into()
        }
        Node::Hedge(how, _) => {
            format!("hedge, another after {:?}, {} at a time", how.delay(), how.most()).into()
        }
    };
    writeln!(f, "{text}")
}

fn promise(estimate: &Estimate) -> String {
    match (estimate.takes, estimate.cleanup.is_zero()) {
        (None, true) => String::new(),
        (None, false) => format!(" (clean-up {:?})", estimate.cleanup),
        (Some(takes), true) => format!(" (at most {takes:?})"),
        (Some(takes), false) => format!(" (at most {takes:?}, clean-up {:?})", estimate.cleanup),
    }
}

fn below<T, E, C>(node: &Node<T, E, C>, indent: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let parts = node.parts();
    for (index, part) in parts.iter().enumerate() {
        let last = index + 1 == parts.len();
        write!(f, "{indent}{}", if last { "└─ " } else { "├─ " })?;
        line(part, f)?;
        below(part, &format!("{indent}{}", if last { "   " } else { "│  " }), f)?;
    }
    Ok(())
}

impl<T, E, C> Node<T, E, C> {
    /// What it is made of.
    pub(super) fn parts(&self) -> &[Node<T, E, C>] {
        match self {
            Node::Done | Node::Never | Node::Leaf(_) => &[],
            Node::Sequence(of) | Node::Join(of) | Node::Race(of) | Node::FirstOk(of) | Node::Hedge(_, of) => {
                of
            }
            Node::Timeout(_, of) | Node::Retry { of, .. } => core::slice::from_ref(of),
        }
    }
}
