//! Formulas of one variable, `value`, as definitions spell them: `2.663*sin(2*value*0.0174533)`. Promises: an invalid text
//! is refused when parsed; evaluation returns a number for every value; time and depth are bounded. Must not: know logs.

/// Formula that computes a parameter from a log (attribute `eq` of `<logfile>`).
///
/// Operators `+ - * / ^`, brackets, `pi`, and sin, cos, tan, asin, acos, atan (radians), sqrt, exp, ln, log (base 10), abs.
///
/// ```
/// # use live_data_reduction::instrument::formula::LogFormula;
/// // Height of a detector arm of 2.663 m at twice 30 degrees.
/// let formula = LogFormula::parse("2.663*sin(2*value*pi/180)").unwrap();
/// assert!((formula.evaluate(30.0) - 2.306_22).abs() < 1e-5);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct LogFormula {
    /// In postfix order.
    tokens: Vec<Token>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Token {
    Number(f64),
    Value,
    Negate,
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    Call(Function),
}

/// Largest depth of nesting.
const MAX_DEPTH: usize = 50;

impl LogFormula {
    /// Formula of a text.
    ///
    /// # Errors
    /// A sentence about the first mistake.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parser = FormulaParser {
            rest: text.trim(),
            tokens: Vec::new(),
        };
        parser.sum(0)?;
        match parser.rest {
            "" => Ok(Self { tokens: parser.tokens }),
            rest => Err(format!("the formula \"{text}\" cannot be read from \"{rest}\" on")),
        }
    }

    /// Result for a value of the log; NaN or infinite outside the domain.
    pub fn evaluate(&self, value: f64) -> f64 {
        let mut stack: Vec<f64> = Vec::new();
        for token in &self.tokens {
            let mut pop = || stack.pop().unwrap_or(f64::NAN);
            let result = match token {
                Token::Number(number) => *number,
                Token::Value => value,
                Token::Negate => -pop(),
                Token::Call(function) => function.of(pop()),
                binary => {
                    let (right, left) = (pop(), pop());
                    match binary {
                        Token::Add => left + right,
                        Token::Subtract => left - right,
                        Token::Multiply => left * right,
                        Token::Divide => left / right,
                        _ => left.powf(right),
                    }
                }
            };
            stack.push(result);
        }
        stack.pop().unwrap_or(f64::NAN)
    }
}

struct FormulaParser<'a> {
    rest: &'a str,
    tokens: Vec<Token>,
}

impl FormulaParser<'_> {
    /// Consumes a sign if it is next.
    fn consume(&mut self, sign: char) -> bool {
        match self.rest.trim_start().strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn sum(&mut self, depth: usize) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err("the formula nests too deep".to_owned());
        }
        self.product(depth)?;
        loop {
            let token = if self.consume('+') {
                Token::Add
            } else if self.consume('-') {
                Token::Subtract
            } else {
                return Ok(());
            };
            self.product(depth)?;
            self.tokens.push(token);
        }
    }

    fn product(&mut self, depth: usize) -> Result<(), String> {
        self.signed(depth)?;
        loop {
            let token = if self.consume('*') {
                Token::Multiply
            } else if self.consume('/') {
                Token::Divide
            } else {
                return Ok(());
            };
            self.signed(depth)?;
            self.tokens.push(token);
        }
    }

    fn signed(&mut self, depth: usize) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err("the formula nests too deep".to_owned());
        }
        if self.consume('-') {
            self.signed(depth + 1)?;
            self.tokens.push(Token::Negate);
            return Ok(());
        }
        if self.consume('+') {
            return self.signed(depth + 1);
        }
        self.atom(depth)?;
        if self.consume('^') {
            self.signed(depth + 1)?;
            self.tokens.push(Token::Power);
        }
        Ok(())
    }

    fn atom(&mut self, depth: usize) -> Result<(), String> {
        if self.consume('(') {
            self.sum(depth + 1)?;
            return if self.consume(')') {
                Ok(())
            } else {
                Err("a bracket is not closed".to_owned())
            };
        }
        let letters = self
            .rest
            .bytes()
            .take_while(|b| b.is_ascii_alphabetic() || *b == b'_')
            .count();
        if letters > 0 {
            let (word, rest) = self.rest.split_at(letters);
            self.rest = rest.trim_start();
            if word == "value" {
                self.tokens.push(Token::Value);
                return Ok(());
            }
            if word == "pi" || word == "_pi" {
                self.tokens.push(Token::Number(std::f64::consts::PI));
                return Ok(());
            }
            let Some(function) = function(word) else {
                return Err(format!("the function \"{word}\" in a formula is not known"));
            };
            if !self.rest.starts_with('(') {
                return Err(format!("the function \"{word}\" has no argument"));
            }
            self.atom(depth + 1)?;
            self.tokens.push(Token::Call(function));
            return Ok(());
        }
        self.number()
    }

    fn number(&mut self) -> Result<(), String> {
        let bytes = self.rest.as_bytes();
        let mut end = 0;
        while let Some(byte) = bytes.get(end) {
            // In 1.5e-3 the minus belongs to the number.
            let exponent_sign = matches!(byte, b'+' | b'-')
                && end > 0
                && bytes
                    .get(end - 1)
                    .is_some_and(|before| before.eq_ignore_ascii_case(&b'e'));
            if byte.is_ascii_digit() || *byte == b'.' || byte.eq_ignore_ascii_case(&b'e') || exponent_sign {
                end += 1;
            } else {
                break;
            }
        }
        let (digits, rest) = self.rest.split_at(end);
        let number: f64 = digits
            .parse()
            .map_err(|_| format!("a number or value is missing before \"{}\"", self.rest))?;
        self.tokens.push(Token::Number(number));
        self.rest = rest.trim_start();
        Ok(())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Function {
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Sqrt,
    Exp,
    Ln,
    Log,
    Abs,
}

impl Function {
    fn of(self, x: f64) -> f64 {
        match self {
            Self::Sin => x.sin(),
            Self::Cos => x.cos(),
            Self::Tan => x.tan(),
            Self::Asin => x.asin(),
            Self::Acos => x.acos(),
            Self::Atan => x.atan(),
            Self::Sqrt => x.sqrt(),
            Self::Exp => x.exp(),
            Self::Ln => x.ln(),
            Self::Log => x.log10(),
            Self::Abs => x.abs(),
        }
    }
}

fn function(word: &str) -> Option<Function> {
    Some(match word {
        "sin" => Function::Sin,
        "cos" => Function::Cos,
        "tan" => Function::Tan,
        "asin" => Function::Asin,
        "acos" => Function::Acos,
        "atan" => Function::Atan,
        "sqrt" => Function::Sqrt,
        "exp" => Function::Exp,
        "ln" => Function::Ln,
        "log" => Function::Log,
        "abs" => Function::Abs,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn formulas_follow_the_rules_of_arithmetic() {
        for (text, wanted) in [
            ("value", 3.0),
            ("-value*0.001/2.0", -0.0015),
            ("(value+201.0)/1000.", 0.204),
            ("2.663*sin(2*value*0.0174533)", 2.663 * (6.0_f64 * 0.0174533).sin()),
            (
                "3.163*tan(2*value*0.0174533)-46*0.0012",
                3.163 * (6.0_f64 * 0.0174533).tan() - 0.0552,
            ),
            ("2^value^2", 512.0),
            ("-value^2", -9.0),
            ("1 - 2 - value", -4.0),
            ("1.5e-3*value", 0.0045),
            ("sqrt(abs(-4))+pi", 2.0 + std::f64::consts::PI),
        ] {
            let found = LogFormula::parse(text).unwrap().evaluate(3.0);
            assert!((found - wanted).abs() < 1e-12, "{text}: {found}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let deep = "(".repeat(10_000);
        let signs = "-".repeat(10_000);
        for text in [
            "",
            "value value",
            "sin",
            "what(1)",
            "(1",
            "1+",
            "*2",
            "1..2",
            "1e",
            "ä",
            &deep,
            &signs,
        ] {
            assert!(LogFormula::parse(text).is_err(), "{text:.20}");
        }
    }
}
