//! The head of an async fn that takes one `cx: &mut Cx`. The body stays the tokens it was.
//!
//! Not here: what becomes of it (`expand`).
use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Attribute, Error, Ident, Result, ReturnType, Token, Type, Visibility};

/// An async fn that takes one `cx: &mut Cx`.
pub(crate) struct Function {
    /// Its attributes and documentation.
    pub(crate) attributes: Vec<Attribute>,
    /// Who may name it.
    pub(crate) visibility: Visibility,
    /// Its name.
    pub(crate) name: Ident,
    parameters: Group,
    output: ReturnType,
    body: Group,
}

impl Function {
    /// The function without attributes and visibility.
    pub(crate) fn item(&self) -> TokenStream {
        let Function { name, parameters, output, body, .. } = self;
        quote!(async fn #name #parameters #output #body)
    }

    /// Where errors about what it returns belong.
    pub(crate) fn output_span(&self) -> Span {
        match &self.output {
            ReturnType::Default => self.name.span(),
            ReturnType::Type(_, ty) => ty.span(),
        }
    }
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> Result<Function> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        asyncness(input)?;
        input.parse::<Token![fn]>()?;
        let name = input.call(Ident::parse_any)?;
        if input.peek(Token![<]) {
            return Err(input.error(
                "nobody could choose the type: make this function's parameters concrete (`cx: &mut Cx<impl ..>` is fine)",
            ));
        }
        let parameters = group(input)?;
        syn::parse::Parser::parse2(|p: ParseStream<'_>| one_context(p, &parameters), parameters.stream())?;
        let output = input.parse()?;
        if input.peek(Token![where]) {
            return Err(input.error("nobody could choose a type: a `where` clause has no use here"));
        }
        Ok(Function { attributes, visibility, name, parameters, output, body: group(input)? })
    }
}

/// The words before `fn`: `async`, and no other.
fn asyncness(input: ParseStream<'_>) -> Result<()> {
    let other =
        |what: &str| input.error(format!("expected an async fn that takes `cx: &mut Cx`, found {what}"));
    if input.peek(Token![async]) {
        input.parse::<Token![async]>()?;
        return if input.peek(Token![fn]) { Ok(()) } else { Err(other("another word before `fn`")) };
    }
    let word = input.fork().call(Ident::parse_any).map(|word| word.to_string());
    Err(other(match word.as_deref() {
        Ok("fn") => "one that isn't async: write `async fn`",
        Ok("const" | "extern" | "unsafe") => "a qualifier other than `async`",
        _ => "something that isn't a function",
    }))
}

fn group(input: ParseStream<'_>) -> Result<Group> {
    match input.parse()? {
        TokenTree::Group(group) => Ok(group),
        other => Err(Error::new(other.span(), "expected a function's parameters or body")),
    }
}

/// One parameter, a `&mut` reference, and no other. What its name is, or its pattern, doesn't matter; what it
/// refers to is checked by the compiler.
fn one_context(input: ParseStream<'_>, parameters: &Group) -> Result<()> {
    let needed = "expected an async fn that takes `cx: &mut Cx`";
    if input.is_empty() {
        return Err(Error::new(parameters.span(), format!("{needed}: this one takes nothing")));
    }
    while !input.is_empty() && !input.peek(Token![:]) {
        let token: TokenTree = input.parse()?;
        if token.to_token_stream().to_string() == "self" {
            return Err(Error::new(token.span(), format!("{needed}, not a method")));
        }
    }
    input.parse::<Token![:]>()?;
    match input.parse()? {
        Type::Reference(reference) if reference.mutability.is_some() => {}
        other => return Err(Error::new(other.span(), format!("{needed}: write `&mut Cx`"))),
    }
    if !input.is_empty() {
        input.parse::<Token![,]>()?;
    }
    match input.is_empty() {
        true => Ok(()),
        false => Err(Error::new(input.span(), format!("{needed} and nothing else"))),
    }
}
