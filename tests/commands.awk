# SPDX-License-Identifier: GPL-2.0-or-later
# Which commands a bash script calls: "FILE command NAME" for every literal word that stands where a
# command does, and "FILE function NAME" for what the script defines.  It follows quotes, $(...),
# <(...), case, here-documents that are scripts, sh -c '...', trap '...', and commands that call
# another one ("exec", "xargs", "unshare ... --").  The words of "for tool in ..." count.  A name
# that is put together at run time is not seen.
#
# S is the text that is read, P the place in it.

BEGIN {
	# Who calls another command, behind so many words; options and numbers do not count.
	split("exec 0 env 0 command 0 xargs 0 timeout 0 nice 0 nohup 0 setpriv 0 unshare 0" \
		" nsenter 0 flock 1 chroot 1 taskset 1 in_namespace 1 quietly 1 one 1 wait_for 0" \
		" on_exit 0 again 1 lab 0 try 2", pair, " ")
	for (i = 1; i in pair; i += 2)
		calls[pair[i]] = pair[i + 1]
	split("if then elif else while until do ! { time", word_list, " ")
	for (i in word_list)
		leads[word_list[i]] = 1
	split("fi done } esac", word_list, " ")
	for (i in word_list)
		closes[word_list[i]] = 1
	RS = "\001"
}
{
	if (/^#!/)
		interpreter($0)
	if (/^#![^\n]*(bash|\/sh)/ || FILENAME ~ /\.sh$/)
		scan($0)
}

function say(what, name) {
	print FILENAME, what, name
}
function interpreter(text, line) {
	line = substr(text, 3, index(text, "\n") - 3)
	sub(/^.*[\/ ]/, "", line)
	say("command", line)
}
# scan TEXT: a script of its own, in the middle of another one.
function scan(text, s, p) {
	s = S
	p = P
	S = text
	P = 1
	list("")
	S = s
	P = p
}
# expand TEXT: what a here-document or a string in double quotes calls while it is made.
function expand(text, s, p) {
	s = S
	p = P
	S = text
	P = 1
	while (P <= length(S))
		quoted_char("")
	S = s
	P = p
}

# list END: commands up to END, which is ")" or the end of the text.  st is the place in a command:
# at_command: the next word is one; name: whose arguments these are; pattern: of a case; in_test: in
# [[ ]].
function list(end, st, c, word) {
	begin_command(st)
	while (P <= length(S)) {
		c = substr(S, P, 1)
		if (c == " " || c == "\t") {
			P++
		} else if (c == "\\" && substr(S, P + 1, 1) == "\n") {
			P += 2
		} else if (c == "#") {
			while (P <= length(S) && substr(S, P, 1) != "\n")
				P++
		} else if (st["in_test"] && index("&|()<>", c)) {
			P++
		} else if (c == ")" && end == ")" && !st["pattern"]) {
			P++
			return
		} else if (index("\n;&|()<>", c)) {
			operator(st, c)
		} else {
			word = read_word()
			if (word ~ /^[0-9]+$/ && index("<>", substr(S, P, 1)))
				continue # a descriptor
			if (st["redirected"])
				st["redirected"] = 0
			else if (st["pattern"])
				st["pattern"] = word != "esac"
			else if (st["in_test"])
				st["in_test"] = word != "]]"
			else if (st["at_command"])
				first_word(st, word)
			else
				argument(st, word)
		}
	}
}
function begin_command(st) {
	st["at_command"] = 1
	st["name"] = st["shell"] = st["for"] = ""
}
function operator(st, c, two) {
	two = substr(S, P, 2)
	if (c == "\n") {
		P++
		here_documents(st)
		begin_command(st)
	} else if (st["pattern"] && index("()|", c)) {
		P++
		begin_command(st)
		st["pattern"] = c != ")"
	} else if (two == ";;") {
		P += 2
		begin_command(st)
		st["pattern"] = 1
	} else if (two == "&>") {
		P += 2
		st["redirected"] = 1
	} else if (index(";&|", c)) {
		P++
		begin_command(st)
	} else if (two == "((") {
		P += 2
		arithmetic()
		st["at_command"] = 0
	} else if (c == "(") {
		P++
		list(")")
		st["at_command"] = 0
	} else if (two == "<(" || two == ">(") {
		P += 2
		list(")")
		st["redirected"] = 0
	} else if (two == "<<" && substr(S, P + 2, 1) != "<") {
		P += 2
		await_document(st)
	} else {
		while (c != "" && index("<>&|", c))
			c = substr(S, ++P, 1)
		st["redirected"] = 1
	}
}
# first_word WORD: where a command stands: a keyword, an assignment, a function or a command.
function first_word(st, word) {
	if (word in leads)
		return
	if (substr(S, P, 2) == "()") {
		P += 2
		say("function", word)
	} else if (word ~ /^[A-Za-z_][A-Za-z0-9_]*(\[[^]]*\])?\+?=/) {
		if (word ~ /=$/ && substr(S, P, 1) == "(")
			array()
	} else {
		st["at_command"] = 0
		st["in_test"] = word == "[["
		st["for"] = word == "for" ? "for" : ""
		st["name"] = word
		if (word !~ /^(for|case|\[\[)$/ && !(word in closes))
			called(st, word)
	}
}
function called(st, word) {
	command(word)
	st["name"] = word
	st["skip"] = word in calls ? calls[word] : 0
	st["shell"] = ""
}
# argument WORD: of the command st["name"].
function argument(st, word, name) {
	name = st["name"]
	if (word ~ /=$/ && substr(S, P, 1) == "(") {
		array()
	} else if (name == "for") {
		if (st["for"] == "for")
			st["for"] = word
		else if (st["for"] == "tool" && word != "in")
			command(word)
	} else if (name == "case") {
		st["pattern"] = word == "in"
	} else if (name == "trap") {
		scan(word)
		st["name"] = ""
	} else if (name ~ /^(sh|bash|script)$/) {
		if (st["shell"] == "-c")
			scan(word)
		if (st["shell"] == "-c" || word !~ /^-/)
			st["name"] = ""
		st["shell"] = word ~ /^-[a-z]*c$/ ? "-c" : ""
	} else if (name in calls && word !~ /^-/ && word !~ /^[0-9.]+$/ && word !~ /^[A-Za-z_]+=/) {
		if (word ~ /^[a-z]/ && st["skip"]-- <= 0)
			called(st, word)
		else if (word !~ /^[a-z]/ && name != "xargs" && st["skip"]-- <= 0)
			st["name"] = "" # "$1", or a program of ours; for xargs an option's value
	}
}
function command(word) {
	sub(/^\/(usr\/)?s?bin\//, "", word)
	if (word ~ /^[A-Za-z_][A-Za-z0-9_.+-]*$/)
		say("command", word)
}
# array: behind "NAME=", up to its ")".
function array(c) {
	P++
	while (P <= length(S) && (c = substr(S, P, 1)) != ")") {
		if (index(" \t\n", c))
			P++
		else
			read_word()
	}
	P++
}
# await_document: behind "<<"; its text begins on the next line.
function await_document(st, n) {
	n = ++st["documents"]
	st["dash", n] = substr(S, P, 1) == "-"
	P += st["dash", n]
	while (substr(S, P, 1) == " ")
		P++
	st["plain", n] = index("'\"\\", substr(S, P, 1)) > 0
	st["delimiter", n] = read_word()
}
function here_documents(st, n) {
	for (n = 1; n <= st["documents"]; n++)
		here_document(st["delimiter", n], st["plain", n], st["dash", n])
	st["documents"] = 0
}
function here_document(delimiter, plain, dash, line, end, body) {
	while (P <= length(S)) {
		end = index(substr(S, P), "\n")
		line = end ? substr(S, P, end - 1) : substr(S, P)
		P += end ? end : length(line)
		if (dash)
			sub(/^\t+/, "", line)
		if (line == delimiter)
			break
		body = body line "\n"
	}
	if (body ~ /^#!/) {
		interpreter(body)
		if (!plain) {
			gsub(/\\\$/, "$", body)
			gsub(/\\\\/, "\\", body)
		}
		if (body ~ /^#![^\n]*(bash|\/sh)/)
			scan(body)
	} else if (!plain) {
		expand(body)
	}
}

# read_word: what stands there up to a blank or an operator, without its quotes.
function read_word(c, word) {
	while (P <= length(S)) {
		c = substr(S, P, 1)
		if (index(" \t\n;&|()<>", c))
			break
		if (c == "'") {
			word = word single()
		} else if (c == "\"") {
			P++
			word = word double()
		} else if (c == "\\") {
			word = word substr(S, P + 1, 1)
			P += 2
		} else if (c == "$") {
			word = word dollar()
		} else {
			word = word c
			P++
		}
	}
	return word
}
function single(from) {
	from = ++P
	while (P <= length(S) && substr(S, P, 1) != "'")
		P++
	return substr(S, from, P++ - from)
}
function double(word) {
	while (P <= length(S) && substr(S, P, 1) != "\"")
		word = word quoted_char()
	P++
	return word
}
function quoted_char(c) {
	c = substr(S, P, 1)
	if (c == "\\") {
		P += 2
		c = substr(S, P - 1, 1)
		return index("$`\"\\", c) ? c : c == "\n" ? "" : "\\" c
	}
	if (c == "$")
		return dollar()
	P++
	return c
}
# dollar: an expansion; its value is not known, "$" stands for it.
function dollar(c) {
	c = substr(S, P + 1, 1)
	P += 2
	if (c == "(" && substr(S, P, 1) == "(") {
		P++
		arithmetic()
	} else if (c == "(") {
		list(")")
	} else if (c == "{") {
		braces()
	} else if (c == "'") {
		P--
		return single()
	} else {
		if (c !~ /[A-Za-z_0-9@*#?$!-]/)
			P--
		return "$" (c ~ /[A-Za-z_0-9@*#?!-]/ ? c : "")
	}
	return "$"
}
function braces(c) {
	while (P <= length(S) && (c = substr(S, P, 1)) != "}") {
		if (c == "\"") {
			P++
			double()
		} else {
			quoted_char()
		}
	}
	P++
}
function arithmetic(c, depth) {
	while (P <= length(S)) {
		c = substr(S, P, 1)
		if (c == ")" && depth-- <= 0)
			break
		if (c == "(")
			depth++
		if (c == "\"") {
			P++
			double()
		} else {
			quoted_char()
		}
	}
	P += 2
}
