//! What a deployment says of its tables.

/// What a deployment adds to its files.
#[derive(Clone, Debug)]
pub struct Options {
    /// Put before every table name, those of sources included (`VIEWFOLD_TABLE_PREFIX`).
    pub table_prefix: String,
    /// The table of dead letters, without the prefix (`VIEWFOLD_DEAD_LETTER_TABLE`). Empty: there is none, and every
    /// projection has to say `on_error: skip` or `fail`.
    pub dead_letter_table: String,
}

/// The table of dead letters unless the deployment names another.
pub const DEAD_LETTER_TABLE: &str = "viewfold_dead_letters";

impl Options {
    /// Checks that the names of tables can begin and read like this ([naming rules]: letters, digits, `_`, `-` and `.`).
    ///
    /// # Errors
    ///
    /// Which of the two is none, as a sentence.
    ///
    /// [naming rules]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
    pub fn check(&self) -> Result<(), String> {
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
        let Options { table_prefix, dead_letter_table } = self;
        if !is_plain(table_prefix) || table_prefix.len() > 200 {
            return Err(format!(
                "the prefix of tables {table_prefix:?} cannot begin a name: at most 200 letters, digits, `_`, `-` and `.`"
            ));
        }
        let length = table_prefix.len() + dead_letter_table.len();
        if !dead_letter_table.is_empty() && (!is_plain(dead_letter_table) || !(3..=255).contains(&length)) {
            return Err(format!(
                "the table of dead letters (VIEWFOLD_DEAD_LETTER_TABLE) cannot have the name {dead_letter_table:?}: 3 to 255 letters, \
                 digits, `_`, `-` and `.`, with the prefix"
            ));
        }
        Ok(())
    }
}

impl Default for Options {
    fn default() -> Options {
        Options { table_prefix: String::new(), dead_letter_table: DEAD_LETTER_TABLE.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_deployment_are_names_of_tables() {
        let check = |prefix: &str, letters: &str| {
            Options { table_prefix: prefix.into(), dead_letter_table: letters.into() }.check().is_ok()
        };
        assert!(check("", DEAD_LETTER_TABLE) && check("test-", "") && check("a", "bc"));
        assert!(!check("a b", "") && !check("", "x${y}") && !check("", "ab") && !check("", "a/b"));
    }
}
