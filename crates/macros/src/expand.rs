//! The code that each attribute stands for: an outer function that calls a plain function of the facade with
//! the user's, which becomes an inner one.
//!
//! Not here: what may be written (`function`, `options`).
use crate::function::Function;
use crate::options::Workers;
use crate::options::lab_test::LabTest;
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Error, Result, parse2};

/// See [`crate::main`].
pub(crate) fn main(options: TokenStream, function: TokenStream) -> TokenStream {
    let expanded = || {
        let Workers(workers) = parse2(options)?;
        let function: Function = parse2(function)?;
        let set = workers.map(|n| quote!(.workers(#n)));
        let Function { attributes, visibility, name, .. } = &function;
        let item = function.item();
        let call = quote_spanned! {function.output_span()=>
            ::asupersync::runtime::program(__builder, #name)
        };
        Ok(quote! {
            #(#attributes)*
            #visibility fn #name() -> ::std::process::ExitCode {
                #item
                let __builder = ::asupersync::Builder::new() #set;
                #call
            }
        })
    };
    expanded().unwrap_or_else(|e: Error| {
        let error = e.into_compile_error();
        // A program without a `main` would be a second error.
        quote!(#error fn main() {})
    })
}

/// See [`crate::test`].
pub(crate) fn test(options: TokenStream, function: TokenStream) -> TokenStream {
    let expanded = || {
        let Workers(workers) = parse2(options)?;
        let function: Function = parse2(function)?;
        let workers = workers.map_or(quote!(2), |n| quote!(#n));
        let name = &function.name;
        let call = quote_spanned! {function.output_span()=>
            ::asupersync::runtime::test(__builder, #name)
        };
        as_test(
            &function,
            quote! {
                let __builder = ::asupersync::Builder::new().workers(#workers);
                #call
            },
        )
    };
    expanded().unwrap_or_else(Error::into_compile_error)
}

/// See [`crate::lab_test`].
pub(crate) fn lab_test(options: TokenStream, function: TokenStream) -> TokenStream {
    let expanded = || {
        let options: LabTest = parse2(options)?;
        let function: Function = parse2(function)?;
        let name = &function.name;
        let called = name.to_string();
        let call = options.call(name);
        let call = quote_spanned!(function.output_span()=> __test #call);
        as_test(
            &function,
            quote! {
                // The environment is the test's own business: the lab gets values.
                let __test = ::asupersync::lab::LabTest::new(
                    ::core::concat!(::core::module_path!(), "::", #called),
                    ::asupersync::lab::given!(),
                );
                #call;
            },
        )
    };
    expanded().unwrap_or_else(Error::into_compile_error)
}

fn as_test(function: &Function, calls: TokenStream) -> Result<TokenStream> {
    let Function { attributes, visibility, name, .. } = function;
    if let Some(twice) = attributes.iter().find(|a| a.path().is_ident("test")) {
        return Err(Error::new_spanned(twice, "it is a test already: leave `#[test]` out"));
    }
    let item = function.item();
    Ok(quote! {
        #[::core::prelude::v1::test]
        #(#attributes)*
        #visibility fn #name() {
            #item
            #calls
        }
    })
}

#[cfg(test)]
mod tests;
