//! Every code a diagnostic can carry. A released number is never used for anything else.
//!
//! Ranges by stage: 00 YAML and structure, 01 syntax, 02 kinds, 03 names and contracts, 04 routing
//! analysis, 05 environment and secrets, 06 run time, 07 reload, 08 tests, 09 style.

use std::fmt;

macro_rules! codes {
    ($($number:literal $name:ident $title:literal)*) => {
        /// Which kind of finding. Printed as `TWnnnn`.
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
        }
    };
}

codes! {
    1 NotUtf8 "file is not valid UTF-8"
    2 Unreadable "file cannot be read"
    3 EmptyFile "file is empty"
    4 YamlSyntax "not valid YAML"
    5 UnknownKey "unknown key"
    6 WrongType "wrong type for key"
    7 DuplicateKey "duplicate key"
    8 AmbiguousYaml "the YAML readers disagree here"
    9 MissingKey "required key is missing"
    10 YamlCutExpression "YAML ended this expression early"
    11 MergeKey "merge keys are not supported"
    12 ConfigTooLarge "configuration exceeds a limit"
    13 InvalidValue "value is not acceptable here"
    21 DefinedTwice "name defined twice"
    22 IncludeMatchesNothing "include matches no file"
    23 IncludeCycle "file includes itself"
    24 WrongVersion "unknown version of the file format"
    101 ExpressionSyntax "cannot parse expression"
    102 MissingSigil "expression needs a leading `=`"
    103 Unbalanced "unbalanced bracket or quote"
    104 ExpressionTooLarge "expression exceeds a limit"
    105 InvalidPath "not a valid JSONPath"
    106 InvalidPattern "not a valid regular expression or glob"
    107 InvalidLiteral "literal is not acceptable"
    110 ChainedComparison "comparisons do not chain"
    111 ForeignSyntax "looks like another language"
    120 InvalidTemplate "not a valid template"
    201 UnknownFunction "unknown function"
    202 WrongArgumentCount "wrong number of arguments"
    203 UnknownArgument "unknown named argument"
    204 WrongArgumentKind "wrong kind of argument"
    205 AlwaysFalse "comparison is always false"
    206 WrongOperandKind "wrong kind of operand"
    207 LambdaNotAllowed "lambda is not allowed here"
    208 NotConstant "argument must be a literal"
    211 ConditionMayBeMissing "condition may be missing"
    212 CatchNeverActs "`catch` after something that cannot fail"
    213 DefaultNeverActs "`??` after something always present"
    220 Fallible "expression can fail"
    230 TooCostly "static cost over the limit"
    301 UnknownName "unknown name"
    302 UnknownField "field not in the contract"
    303 UnknownReference "unknown source, destination, table or lane"
    304 NameNotHere "name is not available here"
    311 RequiredOutputMissing "required output can be missing"
    312 UnknownOutput "output field not in the contract"
    321 EndpointNotProven "endpoint is not proven"
    331 NotRfc9535 "JSONPath extension is not RFC 9535"
    341 UnknownSetting "unknown setting"
    342 MissingSetting "required setting is missing"
    343 InvalidSetting "setting has a value that is not acceptable"
    344 UnknownDestinationType "unknown destination type"
    345 InvalidDefinition "destination definition is not complete"
    401 Unreachable "never reached"
    402 PartlyShadowed "partly shadowed"
    403 NeverTrue "condition can never be true"
    404 AlwaysTrue "condition is always true"
    405 Unused "defined and never used"
    406 EventNotTaken "events that no connection takes"
    501 VariableNotSet "environment variable is not set"
    502 InterpolatedType "value after interpolation has the wrong type"
    503 InterpolationNotAllowed "interpolation is not allowed here"
    504 InterpolationSyntax "malformed `${…}`"
    505 SecretNotAllowed "secret is not allowed here"
    506 SecretUnavailable "secret cannot be read"
    507 PlainSecret "secret written in the file"
    601 OutOfFuel "evaluation took too many steps"
    602 ConversionFailed "conversion failed"
    603 ArithmeticFailed "arithmetic failed"
    604 WrongKindAtRunTime "value has the wrong kind"
    605 OutputTooLarge "output exceeds a limit"
    606 TooManyEvents "one call makes too many events"
    607 Raised "error raised by `error`"
    701 ReloadRejected "reload rejected, previous configuration stays active"
    703 NeedsRestart "change needs a restart"
    801 TestFailed "test failed"
    802 TestRequestRefused "the request of a test is refused"
    803 TestNamesNothing "test names something that does not exist"
    901 Deprecated "deprecated"
    907 ScansEverything "`..` scans the whole subject"
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

/// The page of a code.
pub fn page(code: Code) -> &'static str {
    code.title()
}
