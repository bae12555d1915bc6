//! The head of an async fn that takes one `cx: &mut Cx`. Its types and its body stay the tokens they were.
//!
//! Not here: what becomes of it (`expand`).
use crate::tokens::{
    Delimiter, Error, Group, Ident, Result, Span, TokenStream, TokenTree, Tokens, fill, is_sign, is_word,
};

/// An async fn that takes one `cx: &mut Cx`.
pub(crate) struct Function {
    /// Its attributes and documentation.
    pub(crate) attributes: Vec<Attribute>,
    /// Who may name it; empty if it's private.
    pub(crate) visibility: TokenStream,
    /// Its name.
    pub(crate) name: Ident,
    parameters: Group,
    /// With its arrow; empty if it returns `()`.
    output: Output,
    body: Group,
}

/// `#[..]`.
pub(crate) struct Attribute {
    hash: TokenTree,
    content: Group,
}

/// What the function returns.
struct Output {
    tokens: TokenStream,
    /// The type's first word.
    at: Option<Span>,
}

impl Attribute {
    /// Whether it is `#[test]`.
    pub(crate) fn is_test(&self) -> bool {
        self.content.stream().to_string() == "test"
    }

    pub(crate) fn error(&self, text: &str) -> Error {
        Error::between(self.hash.span(), self.content.span(), text)
    }

    pub(crate) fn tokens(&self) -> [TokenTree; 2] {
        [self.hash.clone(), TokenTree::from(self.content.clone())]
    }
}

impl Function {
    /// The function without attributes and visibility.
    pub(crate) fn item(&self) -> TokenStream {
        let holes = [
            ("name", TokenTree::from(self.name.clone()).into()),
            ("parameters", TokenTree::from(self.parameters.clone()).into()),
            ("output", self.output.tokens.clone()),
            ("body", TokenTree::from(self.body.clone()).into()),
        ];
        fill("async fn $name $parameters $output $body", &holes)
    }

    /// Where errors about what it returns belong.
    pub(crate) fn output_span(&self) -> Span {
        self.output.at.unwrap_or_else(|| self.name.span())
    }

    pub(crate) fn parse(tokens: TokenStream) -> Result<Function> {
        let mut input = Tokens::new(tokens);
        let attributes = attributes(&mut input)?;
        let visibility = visibility(&mut input);
        asyncness(&mut input)?;
        let name = input.takes_ident().ok_or_else(|| input.error("expected the function's name"))?;
        if input.peek().is_some_and(|token| is_sign(&token, '<')) {
            return Err(input.error(
                "nobody could choose the type: make this function's parameters concrete (`cx: &mut Cx<impl ..>` is fine)",
            ));
        }
        let parameters = input
            .takes_group(Delimiter::Parenthesis)
            .ok_or_else(|| input.error("expected the function's parameters"))?;
        one_context(&parameters)?;
        let (output, body) = output_and_body(&mut input)?;
        Ok(Function { attributes, visibility, name, parameters, output, body })
    }
}

fn attributes(input: &mut Tokens) -> Result<Vec<Attribute>> {
    let mut attributes = Vec::new();
    while let Some(hash) = input.peek().filter(|token| is_sign(token, '#')) {
        input.next();
        let content = input
            .takes_group(Delimiter::Bracket)
            .ok_or_else(|| input.error("expected an attribute of the function"))?;
        attributes.push(Attribute { hash, content });
    }
    Ok(attributes)
}

/// `pub`, `pub(..)` or nothing.
fn visibility(input: &mut Tokens) -> TokenStream {
    let mut visibility = TokenStream::new();
    if let Some(word) = input.peek().filter(|token| is_word(token, "pub")) {
        input.next();
        visibility.extend([word]);
        visibility.extend(input.takes_group(Delimiter::Parenthesis).map(TokenTree::from));
    }
    visibility
}

/// The words up to `fn`: `async`, and no other.
fn asyncness(input: &mut Tokens) -> Result<()> {
    let other = |input: &Tokens, what: &str| {
        Err(input.error(format!("expected an async fn that takes `cx: &mut Cx`, found {what}")))
    };
    if input.takes_word("async") {
        return if input.takes_word("fn") { Ok(()) } else { other(input, "another word before `fn`") };
    }
    let word = input.peek().map(|token| token.to_string());
    let what = match word.as_deref() {
        Some("fn") => "one that isn't async: write `async fn`",
        Some("const" | "extern" | "unsafe") => "a qualifier other than `async`",
        _ => "something that isn't a function",
    };
    other(input, what)
}

/// One parameter, a `&mut` reference, and no other. What its name is, or its pattern, doesn't matter; what it
/// refers to is checked by the compiler.
fn one_context(parameters: &Group) -> Result<()> {
    let needed = "expected an async fn that takes `cx: &mut Cx`";
    let mut input = Tokens::new(parameters.stream());
    if input.is_empty() {
        return Err(Error::new(parameters.span(), format!("{needed}: this one takes nothing")));
    }
    while !input.takes_sign(':') {
        let Some(token) = input.next() else {
            return Err(input.error(format!("{needed}: its parameter has no type")));
        };
        if is_word(&token, "self") {
            return Err(Error::new(token.span(), format!("{needed}, not a method")));
        }
    }
    let type_at = input.span();
    let reference = input.takes_sign('&');
    if reference && input.takes_sign('\'') {
        input.next();
    }
    if !(reference && input.takes_word("mut")) {
        return Err(Error::new(type_at, format!("{needed}: write `&mut Cx`")));
    }
    skip_type(&mut input);
    if input.takes_sign(',') && !input.is_empty() {
        return Err(input.error(format!("{needed} and nothing else")));
    }
    Ok(())
}

/// Goes on to the comma after a type, or to the end: commas between `<` and `>` belong to the type.
fn skip_type(input: &mut Tokens) {
    let mut depth = 0usize;
    while let Some(token) = input.peek() {
        if depth == 0 && is_sign(&token, ',') {
            return;
        }
        if input.takes_signs("->") {
            continue;
        }
        input.next();
        match () {
            () if is_sign(&token, '<') => depth += 1,
            () if is_sign(&token, '>') => depth = depth.saturating_sub(1),
            () => {}
        }
    }
}

/// All that follows the parameters. The body is the last group, since a type may have braces in it.
fn output_and_body(input: &mut Tokens) -> Result<(Output, Group)> {
    let mut output = Output { tokens: TokenStream::new(), at: None };
    while let Some(token) = input.peek() {
        if is_word(&token, "where") {
            return Err(input.error("nobody could choose a type: a `where` clause has no use here"));
        }
        input.next();
        match token {
            TokenTree::Group(body) if body.delimiter() == Delimiter::Brace && input.is_empty() => {
                return Ok((output, body));
            }
            token => {
                // The arrow is two signs.
                if output.at.is_none() && !is_sign(&token, '-') && !is_sign(&token, '>') {
                    output.at = Some(token.span());
                }
                output.tokens.extend([token]);
            }
        }
    }
    Err(input.error("expected the function's body"))
}
