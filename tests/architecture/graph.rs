//! The files of a crate and the names that lead from one to another, through re-exports, with the circles among them.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Source, sources};

/// A path as written, such as `crate::http::error::ApiError`, with the name under which `use` brings it in.
struct Import {
    path: Vec<String>,
    alias: String,
}

/// One file, with the module that it is: `[]` for the root, `["http", "error"]` for `src/http/error.rs`.
struct File {
    path: String,
    module: Vec<String>,
    imports: Vec<Import>,
    /// Paths in the code outside of `use`.
    paths: Vec<Vec<String>>,
}

/// The files of one crate.
pub struct Graph {
    files: Vec<File>,
    by_module: BTreeMap<Vec<String>, usize>,
}

impl Graph {
    /// Reads the crate whose root file is in `folder`. `name` is the crate's own name, under which a program names its
    /// library.
    pub fn read(folder: &str, roots: &[&str], excluded: &[&str]) -> Graph {
        let is_excluded = |path: &str| excluded.iter().any(|start| path.starts_with(start));
        let sources = sources(folder).into_iter().filter(|source| !is_excluded(&source.path));
        let files: Vec<File> = sources.map(|source| File::read(&source, folder, roots)).collect();
        let by_module = files.iter().enumerate().map(|(at, file)| (file.module.clone(), at)).collect();
        Graph { files, by_module }
    }

    /// Returns the circles of files that name each other: for each circle, who names whom.
    pub fn circles(&self) -> Vec<Vec<String>> {
        let edges: Vec<BTreeSet<usize>> = (0..self.files.len()).map(|at| self.named_by(at)).collect();
        let reached: Vec<BTreeSet<usize>> = (0..edges.len()).map(|from| reachable(&edges, from)).collect();
        let mut circles = BTreeSet::new();
        for from in 0..edges.len() {
            let circle: BTreeSet<usize> = (0..edges.len())
                .filter(|to| reached[from].contains(to) && reached[*to].contains(&from))
                .collect();
            let path = |at: &usize| self.files[*at].path.as_str();
            let names = |at: &usize| {
                let named: Vec<&str> = edges[*at].intersection(&circle).map(path).collect();
                format!("{} names {}", path(at), named.join(", "))
            };
            if circle.len() > 1 {
                circles.insert(circle.iter().map(names).collect::<Vec<_>>());
            }
        }
        circles.into_iter().collect()
    }

    /// The files that a file names.
    fn named_by(&self, at: usize) -> BTreeSet<usize> {
        let file = &self.files[at];
        let used = file.imports.iter().map(|import| import.path.clone());
        let mut named: BTreeSet<usize> =
            used.chain(file.paths.iter().cloned()).filter_map(|path| self.resolve(at, &path, 0)).collect();
        named.remove(&at);
        named
    }

    /// The file that defines what a path names, seen from a file. Re-exports lead on to where a thing is defined.
    fn resolve(&self, from: usize, path: &[String], depth: usize) -> Option<usize> {
        const DEPTH_MAX: usize = 8;
        if depth > DEPTH_MAX {
            return None;
        }
        let file = &self.files[from];
        let mut module = file.module.clone();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" => {
                module.clear();
                rest = &rest[1..];
            }
            "self" => rest = &rest[1..],
            "super" => {
                while rest.first().is_some_and(|part| part == "super") {
                    module.pop();
                    rest = &rest[1..];
                }
            }
            first => {
                let mut child = module.clone();
                child.push(first.to_owned());
                if !self.by_module.contains_key(&child) {
                    // A name that `use` brought in, or something of another crate.
                    let import = file.imports.iter().find(|import| import.alias == first)?;
                    let longer: Vec<String> = import.path.iter().chain(&path[1..]).cloned().collect();
                    return (longer != path).then(|| self.resolve(from, &longer, depth + 1)).flatten();
                }
            }
        }
        let mut at = *self.by_module.get(&module)?;
        for (place, part) in rest.iter().enumerate() {
            module.push(part.clone());
            if let Some(child) = self.by_module.get(&module) {
                at = *child;
                continue;
            }
            let reexport = self.files[at].imports.iter().find(|import| import.alias == *part);
            return match reexport {
                Some(import) if at != from => {
                    let path: Vec<String> = import.path.iter().chain(&rest[place + 1..]).cloned().collect();
                    self.resolve(at, &path, depth + 1)
                }
                _ => Some(at),
            };
        }
        Some(at)
    }
}

fn reachable(edges: &[BTreeSet<usize>], from: usize) -> BTreeSet<usize> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<usize> = edges[from].iter().copied().collect();
    while let Some(at) = next.pop() {
        if reached.insert(at) {
            next.extend(&edges[at]);
        }
    }
    reached
}

impl File {
    fn read(source: &Source, folder: &str, roots: &[&str]) -> File {
        let below = source.path.strip_prefix(folder).unwrap_or("").trim_start_matches('/');
        let mut module: Vec<String> = below.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
        if matches!(module.last().map(String::as_str), Some("mod" | "lib" | "main")) {
            module.pop();
        }
        let code = source.product_code();
        let (mut imports, mut rest) = (Vec::new(), String::new());
        for statement in code.split_inclusive(';') {
            let start = use_start(statement);
            rest.push_str(&statement[..start.unwrap_or(statement.len())]);
            if let Some(start) = start {
                let tree = statement[start..].trim_start_matches("use ").trim_end_matches(';');
                flatten(tree, &[], &mut imports);
            }
        }
        let mut file = File { path: source.path.clone(), module, imports, paths: paths(&rest) };
        // A program names its library by the crate's name.
        let own_name = |path: &mut Vec<String>| {
            if path.first().is_some_and(|first| roots.contains(&first.as_str())) {
                path[0] = "crate".into();
            }
        };
        file.imports.iter_mut().for_each(|import| own_name(&mut import.path));
        file.paths.iter_mut().for_each(own_name);
        // Inside of a module of its own, `super` is the file itself.
        let has_inner_module = code.lines().any(|line| line.contains("mod ") && line.ends_with('{'));
        if has_inner_module {
            file.imports.retain(|import| import.path.first().is_none_or(|first| first != "super"));
            file.paths.retain(|path| path[0] != "super");
        }
        file
    }
}

/// Where `use …` begins in a statement, behind what stands before it on other lines.
fn use_start(statement: &str) -> Option<usize> {
    let at = statement.rfind("use ")?;
    let before = statement[..at].trim_end_matches(' ');
    let is_start = before.is_empty() || before.ends_with('\n') || before.ends_with("pub");
    let is_visible = before.ends_with("pub(crate)") || before.ends_with("pub(super)");
    (is_start || is_visible).then_some(at)
}

/// Splits `a::{b, c::d as e}` into one import for each name.
fn flatten(tree: &str, prefix: &[String], into: &mut Vec<Import>) {
    let tree = tree.trim();
    if let Some((start, group)) = tree.split_once('{') {
        let mut path = prefix.to_vec();
        path.extend(start.split("::").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned));
        let group = group.rsplit_once('}').map_or(group, |(inner, _)| inner);
        let (mut depth, mut begin) = (0, 0);
        for (at, character) in group.char_indices() {
            match character {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    flatten(&group[begin..at], &path, into);
                    begin = at + 1;
                }
                _ => {}
            }
        }
        flatten(&group[begin..], &path, into);
        return;
    }
    let (path, alias) = tree.split_once(" as ").map_or((tree, None), |(path, alias)| (path, Some(alias)));
    let mut path: Vec<String> =
        prefix.iter().cloned().chain(path.split("::").map(|part| part.trim().to_owned())).collect();
    path.retain(|part| !part.is_empty());
    if path.last().is_some_and(|last| last == "self" || last == "*") {
        path.pop();
    }
    let Some(last) = path.last().cloned() else { return };
    into.push(Import { path, alias: alias.map_or(last, |alias| alias.trim().to_owned()) });
}

/// All paths of two parts or more in some code.
fn paths(code: &str) -> Vec<Vec<String>> {
    let is_part = |character: char| character.is_alphanumeric() || character == '_' || character == ':';
    let words = code.split(|character: char| !is_part(character));
    let split = words.map(|word| word.split("::").map(str::to_owned).collect::<Vec<String>>());
    split
        .filter(|path| path.len() > 1 && path.iter().all(|part| !part.is_empty() && !part.contains(':')))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(tree: &str) -> Vec<(String, String)> {
        let mut imports = Vec::new();
        flatten(tree, &[], &mut imports);
        imports.into_iter().map(|import| (import.path.join("::"), import.alias)).collect()
    }

    #[test]
    fn a_group_of_imports_is_one_for_each_name() {
        let expected = [("crate::a", "a"), ("crate::b::C", "C"), ("crate::b::D", "E"), ("crate::f", "f")];
        let expected = expected.map(|(path, alias)| (path.to_owned(), alias.to_owned()));
        assert_eq!(names("crate::{a, b::{C, D as E}, f::{self}}"), expected);
    }

    #[test]
    fn a_circle_is_found_through_a_reexport_and_a_chain_is_none() {
        let file = |path: &str, text: &str| {
            File::read(&Source { path: format!("src/{path}"), text: text.into() }, "src", &["lib"])
        };
        let graph = |files: Vec<File>| {
            let by_module = files.iter().enumerate().map(|(at, file)| (file.module.clone(), at)).collect();
            Graph { files, by_module }
        };
        let root = || file("lib.rs", "mod a;\npub use a::A;\nmod b;\n");
        let circle = graph(vec![
            root(),
            file("a.rs", "fn f() { crate::b::g() }\npub struct A;"),
            file("b.rs", "use lib::A;\npub fn g() {}"),
        ]);
        assert_eq!(circle.circles(), [["src/a.rs names src/b.rs", "src/b.rs names src/a.rs"]]);
        let chain = graph(vec![
            root(),
            file("a.rs", "use crate::b::g;\npub struct A;"),
            file("b.rs", "pub fn g() {}"),
        ]);
        assert!(chain.circles().is_empty());
    }
}
