//! The code that each attribute stands for: an outer function that calls a plain function of the facade with
//! the user's, which becomes an inner one.
//!
//! Not here: what may be written (`function`, `options`).
use crate::function::Function;
use crate::options::knobs::Knobs;
use crate::options::lab_test::LabTest;
use crate::tokens::{Error, Literal, Result, TokenStream, TokenTree, at, fill};

/// See [`crate::main`].
pub(crate) fn main(options: TokenStream, function: TokenStream) -> TokenStream {
    let expanded = || {
        let set = Knobs::parse(options)?.calls();
        let function = Function::parse(function)?;
        let call = on_output(&function, "::asupersync::runtime::program(__builder, $name)");
        let code = "
            $attributes
            $visibility fn $name() -> ::std::process::ExitCode {
                $item
                let __builder = ::asupersync::Builder::new() $set;
                $call
            }";
        Ok(around(&function, code, [("set", set), ("call", call)]))
    };
    expanded().unwrap_or_else(|e: Error| {
        // A program without a `main` would be a second error.
        fill("$error fn main() {}", &[("error", e.into_compile_error())])
    })
}

/// See [`crate::test`].
pub(crate) fn test(options: TokenStream, function: TokenStream) -> TokenStream {
    let expanded = || {
        let set = Knobs::parse(options)?.workers_or(2)?.calls();
        let function = Function::parse(function)?;
        let call = on_output(&function, "::asupersync::runtime::test(__builder, $name)");
        let code = "let __builder = ::asupersync::Builder::new() $set; $call";
        as_test(&function, fill(code, &[("set", set), ("call", call)]))
    };
    expanded().unwrap_or_else(Error::into_compile_error)
}

/// See [`crate::lab_test`].
pub(crate) fn lab_test(options: TokenStream, function: TokenStream) -> TokenStream {
    let expanded = || {
        let options = LabTest::parse(options)?;
        let function = Function::parse(function)?;
        let call = fill("__test $call", &[("call", options.call(&function.name))]);
        // The environment is the test's own business: the lab gets values.
        let code = "
            let __test = ::asupersync::lab::LabTest::new(
                ::core::concat!(::core::module_path!(), \"::\", $called),
                ::asupersync::lab::given!(),
            );
            $call;";
        let called = TokenTree::from(Literal::string(&function.name.to_string())).into();
        as_test(&function, fill(code, &[("called", called), ("call", at(function.output_span(), call))]))
    };
    expanded().unwrap_or_else(Error::into_compile_error)
}

fn as_test(function: &Function, calls: TokenStream) -> Result<TokenStream> {
    if let Some(twice) = function.attributes.iter().find(|attribute| attribute.is_test()) {
        return Err(twice.error("it is a test already: leave `#[test]` out"));
    }
    let code = "
        #[::core::prelude::v1::test]
        $attributes
        $visibility fn $name() {
            $item
            $calls
        }";
    Ok(around(function, code, [("calls", calls)]))
}

/// The code, with what there is of the function and what else is given.
fn around<const N: usize>(function: &Function, code: &str, others: [(&str, TokenStream); N]) -> TokenStream {
    let attributes = function.attributes.iter().flat_map(|attribute| attribute.tokens()).collect();
    let own = [
        ("attributes", attributes),
        ("visibility", function.visibility.clone()),
        ("name", TokenTree::from(function.name.clone()).into()),
        ("item", function.item()),
    ];
    fill(code, &own.into_iter().chain(others).collect::<Vec<_>>())
}

/// A call whose errors are about what the function returns.
fn on_output(function: &Function, code: &str) -> TokenStream {
    let name = TokenTree::from(function.name.clone()).into();
    at(function.output_span(), fill(code, &[("name", name)]))
}

#[cfg(test)]
mod tests;
