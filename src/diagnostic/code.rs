//! Every code a diagnostic can carry, each with its page. A released number is never used for
//! anything else.
//!
//! Ranges by stage: 00 YAML and structure, 01 syntax, 02 kinds, 03 names and contracts, 04 routing
//! analysis, 05 environment and secrets, 06 run time, 07 reload, 08 tests, 09 style.
//!
//! Reserved for what is not reported yet: 0211 condition may be missing, 0220 expression can fail,
//! 0230 static cost, 0302 field not in the contract, 0311 and 0312 outputs against the contract, 0321
//! endpoint not proven, 0401 to 0406 routing analysis, 0506 secret that cannot be read, 0901 deprecated,
//! 0907 `..` scans everything.

use std::fmt;

macro_rules! codes {
    ($($number:literal $name:ident $title:literal)*) => {
        /// Which kind of finding. Printed as `TWnnnn`.
        #[expect(clippy::zero_prefixed_literal, reason = "the number as it is printed, and the name of its page")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        pub enum Code {
            $(#[doc = $title] $name = $number,)*
        }

        impl Code {
            /// Every code, by number.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// What it is called, a few words.
            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$name => $title,)*
                }
            }

            /// Its page in Markdown: what it means, an example that has it, the repair. A test
            /// runs the examples.
            pub const fn page(self) -> &'static str {
                match self {
                    $(Self::$name => include_str!(concat!(
                        "../../docs/diagnostics/TW",
                        stringify!($number),
                        ".md"
                    )),)*
                }
            }
        }
    };
}

codes! {
    0001 NotUtf8 "file is not valid UTF-8"
    0002 Unreadable "file cannot be read"
    0003 EmptyFile "file is empty"
    0004 YamlSyntax "not valid YAML"
    0005 UnknownKey "unknown key"
    0006 WrongType "wrong type for key"
    0007 DuplicateKey "duplicate key"
    0008 AmbiguousYaml "the YAML readers disagree here"
    0009 MissingKey "required key is missing"
    0010 YamlCutExpression "YAML ended this expression early"
    0011 MergeKey "merge keys are not supported"
    0012 ConfigTooLarge "configuration exceeds a limit"
    0013 InvalidValue "value is not acceptable here"
    0021 DefinedTwice "name defined twice"
    0022 IncludeMatchesNothing "include matches no file"
    0023 IncludeCycle "file includes itself"
    0024 WrongVersion "unknown version of the file format"
    0101 ExpressionSyntax "cannot parse expression"
    0102 MissingSigil "expression needs a leading `=`"
    0103 Unbalanced "unbalanced bracket or quote"
    0104 ExpressionTooLarge "expression exceeds a limit"
    0105 InvalidPath "not a valid JSONPath"
    0106 InvalidPattern "not a valid regular expression or glob"
    0107 InvalidLiteral "literal is not acceptable"
    0110 ChainedComparison "comparisons do not chain"
    0111 ForeignSyntax "looks like another language"
    0120 InvalidTemplate "not a valid template"
    0201 UnknownFunction "unknown function"
    0202 WrongArgumentCount "wrong number of arguments"
    0203 UnknownArgument "unknown named argument"
    0204 WrongArgumentKind "wrong kind of argument"
    0205 AlwaysFalse "comparison is always false"
    0206 WrongOperandKind "wrong kind of operand"
    0207 LambdaNotAllowed "lambda is not allowed here"
    0208 NotConstant "argument must be a literal"
    0212 CatchNeverActs "`catch` after something that cannot fail"
    0213 DefaultNeverActs "`??` after something always present"
    0301 UnknownName "unknown name"
    0303 UnknownReference "unknown source, destination, table or lane"
    0304 NameNotHere "name is not available here"
    0331 NotRfc9535 "JSONPath extension is not RFC 9535"
    0341 UnknownSetting "unknown setting"
    0342 MissingSetting "required setting is missing"
    0343 InvalidSetting "setting has a value that is not acceptable"
    0344 UnknownDestinationType "unknown destination type"
    0345 InvalidDefinition "destination definition is not complete"
    0501 VariableNotSet "environment variable is not set"
    0502 InterpolatedType "value after interpolation has the wrong type"
    0503 InterpolationNotAllowed "interpolation is not allowed here"
    0504 InterpolationSyntax "malformed `${…}`"
    0505 SecretNotAllowed "secret is not allowed here"
    0507 PlainSecret "secret written in the file"
    0601 OutOfFuel "evaluation took too many steps"
    0602 ConversionFailed "conversion failed"
    0603 ArithmeticFailed "arithmetic failed"
    0604 WrongKindAtRunTime "value has the wrong kind"
    0605 OutputTooLarge "output exceeds a limit"
    0606 TooManyEvents "one call makes too many events"
    0607 Raised "error raised by `error`"
    0701 ReloadRejected "reload rejected, previous configuration stays active"
    0703 NeedsRestart "change needs a restart"
    0801 TestFailed "test failed"
    0802 TestRequestRefused "the request of a test is refused"
    0803 TestNamesNothing "test names something that does not exist"
}

impl Code {
    /// The number without its prefix.
    pub const fn number(self) -> u16 {
        self as u16
    }

    /// The code that reads `TW0204`, in any case.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|code| code.to_string().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TW{:04}", self.number())
    }
}
