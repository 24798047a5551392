/**
 * Codes of mistakes with names: declared twice, not known, or used as what they are not.
 */
import type { CodeTable } from "./code.ts";

export const nameCodes = {
  "duplicate-name": {
    severity: "error",
    cause: "text",
    summary: "One name is declared twice in one place.",
    explanation:
      "Within a file, the members of a block, its parameters, or the arguments of a call, a name stands for one thing. Rename one of the two, or remove it. A `let` inside a body may reuse a name: it begins a new value from that line on.",
  },
  "unknown-name": {
    severity: "error",
    cause: "text",
    summary: "A name that nothing in sight declares.",
    explanation:
      "A name must be declared in the block, in the file, or imported from another file; ops and functions of the language are always in sight. Names inside a block are not seen from outside, except as members (`encoder.width`). Capital names in shapes, such as `B` and `N`, are known once a parameter of `forward` has introduced them.",
  },
  "unknown-member": {
    severity: "error",
    cause: "text",
    summary: "A block or group has no member of this name.",
    explanation:
      "After a dot comes a member of a block (a part, a `param`, a `let`), one of the block's own parameters, or the next part of a dotted name such as `attention.output.dense`. Other values have no members.",
  },
  "unknown-import": {
    severity: "error",
    cause: "text",
    summary: "The imported file does not declare this name.",
    explanation:
      "An import takes names that the other file declares at its top level. What that file has itself imported is not passed on: import it from where it is declared.",
  },
  "import-failed": {
    severity: "error",
    cause: "text",
    summary: "The imported file can't be read.",
    explanation:
      "The path of an import is relative to the file it stands in, with `/` between folders, or begins with `ossicle/` for the standard library. It can't leave the root folder. The names it should have brought are not reported again where they are used.",
  },
  "import-cycle": {
    severity: "error",
    cause: "text",
    summary: "Files import one another in a circle.",
    explanation:
      "A file can't need itself, directly or through others. Move what both files need to a third one that imports neither.",
  },
  "circular-definition": {
    severity: "error",
    cause: "text",
    summary: "A value is defined by means of itself.",
    explanation:
      "A constant or a member has one value, which can't depend on itself, directly or through other names. Break the circle by giving one of them a value of its own. To change a value step by step inside a body, use `let` and then assign: `x = f(x)`.",
  },
  "not-assignable": {
    severity: "error",
    cause: "text",
    summary: "A name that keeps its value is given a new one.",
    explanation:
      "Inside a body, names that `let` introduced, tensor parameters and a policy's carries can be given new values. Static parameters, members and the variable of a loop keep theirs: introduce a new name with `let`.",
  },
  "unknown-argument": {
    severity: "error",
    cause: "text",
    summary: "An argument is named after no parameter.",
    explanation:
      "A named argument must match a parameter of the block or op that is called. A block first takes its static parameters (those in the parentheses after its name) and then, once it has them, the parameters of its `forward`.",
  },
  "too-many-arguments": {
    severity: "error",
    cause: "text",
    summary: "A call has more arguments than there are parameters.",
    explanation:
      "Arguments without a name are matched with parameters in order, and some are left over. If one is meant for a certain parameter, name it: `Linear(512, 256, biased: false)`.",
  },
  "positional-after-named": {
    severity: "error",
    cause: "text",
    summary: "An argument without a name follows one with a name.",
    explanation:
      "After the first named argument all others need their names as well, because their order no longer tells which parameter they are for.",
  },
  "not-an-extension": {
    severity: "error",
    cause: "text",
    summary: "`with` is used on something that it can't install, or can't install on.",
    explanation:
      "`with` extends a block: left of it stands a block with its arguments, right of it an extension such as a policy. To apply blocks one after the other, use `|>`.",
  },
  "variant-not-a-block": {
    severity: "error",
    cause: "text",
    summary: "A variant is not defined by a block of its own kind.",
    explanation:
      "`model Small = Captioner(keep: 50%)` names a block with some of its arguments set. Right of `=` stands a block of the same kind as the variant's own keyword says.",
  },
  "member-not-a-block": {
    severity: "error",
    cause: "text",
    summary: "A member is bound to something that is not a block.",
    explanation:
      "`name = …` in a block declares a part: a block with its arguments, blocks joined by `|>`, or a list of blocks. A plain value is named with `let`, and a learned tensor with `param`.",
  },
  "not-callable": {
    severity: "error",
    cause: "text",
    summary: "Something that is not a block or function is called.",
    explanation:
      "Only blocks, functions and ops can be called. A frequent reason is a missing operator between a value and a parenthesis.",
  },
  "no-forward": {
    severity: "error",
    cause: "text",
    summary: "A block that computes nothing is applied to a value.",
    explanation:
      "A block is applied by running its `forward`, and this one has none. A policy is not applied but installed, with `with`; a block that only groups others is used through its members.",
  },
  "policy-meets-nothing": {
    severity: "error",
    cause: "text",
    summary: "A policy is installed where none of its sites is.",
    explanation:
      "A policy acts at the sites that an encoder declares with `site name(…)`. If the block has no site that the policy has an `on` handler for, the policy would silently do nothing, so it is an error. Install it on the block that declares the site, or choose a policy for the sites that are there.",
  },
  "adapter-without-target": {
    severity: "error",
    cause: "text",
    summary: "An adapter is not told which sub-blocks it goes around.",
    explanation:
      'An adapter is put around the sub-blocks whose paths match one of the patterns in its argument `on`, such as `on: ["in_proj"]`. A pattern matches the end of a path, and `*` stands for one part of it.',
  },
  "adapter-matches-nothing": {
    severity: "error",
    cause: "text",
    summary: "An adapter's pattern matches no sub-block.",
    explanation:
      "The adapter would silently leave the block as it is, so it is an error. The message lists the names of the sub-blocks that could have matched. Paths are the names that a checkpoint uses: `layers.3.mixer.in_proj`.",
  },
  "site-out-of-range": {
    severity: "error",
    cause: "values",
    summary: "A policy asks for a site number that the block does not reach.",
    explanation:
      "Sites of one name are numbered from 0 in the order in which they run: an encoder with 12 layers and one site in each has the numbers 0 to 11. A number beyond would silently never act, so it is an error.",
  },
  "site-numbers": {
    severity: "error",
    cause: "values",
    summary: "The sites of a handler are not a list of integers.",
    explanation:
      "`on tokens[at](…)` acts at the sites whose numbers the list in brackets holds, as in `at: [3, 6, 9]`. Without brackets a handler acts at every site of the name.",
  },
  "site-field-unnamed": {
    severity: "error",
    cause: "text",
    summary: "A site offers a value without a name.",
    explanation:
      "`site tokens(x, attention: p)` begins with the value that a policy may replace. Everything after it is offered by name, so that a policy can take what it needs.",
  },
  "no-model": {
    severity: "error",
    cause: "text",
    summary: "The file declares no model, or none of this name.",
    explanation:
      "To compile or run, a file needs a `model`: a block with inputs and entries. `--model` chooses one where there are several. Files of blocks alone can be checked and imported.",
  },
  "no-entry": {
    severity: "error",
    cause: "text",
    summary: "The model has no entry, or none of this name.",
    explanation:
      "An entry is what a model can be asked to compute: `entry classify(audio) -> logits: f32[1, labels] = …`. `--entry` chooses one where there are several.",
  },
  "unknown-input": {
    severity: "error",
    cause: "text",
    summary: "An entry takes an input that the model does not declare.",
    explanation:
      "The names in an entry's parentheses are the model's inputs, declared with `input name: type`. Values that the model computes itself are not listed.",
  },
  "state-used-twice": {
    severity: "error",
    cause: "text",
    summary: "A block with recurrent state is applied twice in one entry.",
    explanation:
      "Ops such as ssd and causal_conv carry state from one call of an entry to the next, under the path of the block they stand in. A second application in the same entry would need a state of its own: declare a second block.",
  },
  "no-state": {
    severity: "error",
    cause: "text",
    summary: "An entry continues another that leaves no state.",
    explanation:
      "`entry step(token) continues prefill` goes on from the recurrent state that `prefill` left. Without an op that keeps state there is nothing to go on from, and `continues` can be dropped.",
  },
  "unknown-language-version": {
    severity: "error",
    cause: "text",
    summary: "A file is written for a version of the language that is not known.",
    explanation:
      "`language 1` at the top of a file says which grammar it was written for, so that a later version can still read it. A file without that line is read as the current version.",
  },
  "private-name": {
    severity: "error",
    cause: "text",
    summary: "An import asks for a name that is private to its file.",
    explanation:
      "Names that begin with an underscore belong to the file that declares them. Import what the file offers, or take the underscore away there.",
  },
  "broken-interface": {
    severity: "error",
    cause: "text",
    summary: "A block does not keep what its kind promises.",
    explanation:
      "An encoder, connector and decoder take and give tokens [batch, tokens, width]; a frontend takes a waveform; a policy acts at sites and has no `forward`; an adapter has a parameter `on` and a `forward`; only a model has inputs and entries. Use `block` for what promises nothing.",
  },
  "bad-sweep": {
    severity: "error",
    cause: "text",
    summary: "A sweep varies something that is not a parameter, or by values that do not fit it.",
    explanation:
      "`sweep { keep: [50%, 70%] }` lists values for parameters of the model. Each must be a list whose items the parameter would take as arguments.",
  },
  "bad-budget": {
    severity: "error",
    cause: "text",
    summary:
      "A limit of a budget is not a measure compared with a number, or can't be measured as it is written.",
    explanation:
      "A budget lists limits such as `macs(seconds: 10) <= 32G` or `params <= 220M`: a measure, `<=`, and a number. What the measure depends on must be given: the length of a recording as `seconds`, open sizes by their names.",
  },
  "over-budget": {
    severity: "error",
    cause: "text",
    summary: "A model costs more than its budget allows.",
    explanation:
      "`budget { macs(seconds: 10) <= 32G }` is held against what the model would cost, counted before anything is run: of its first entry, of the one that is named as in `memory(step)`, or of a whole clip as in `macs(seconds: 10, tokens: 30)`. The parts that cost most are listed, and where one parameter can bring the model within the limit, the nearest value that does.",
  },
  "bad-frozen": {
    severity: "error",
    cause: "text",
    summary: "What is declared as frozen is no part of the model.",
    explanation:
      '`frozen { "encoder", "decoder.*.norm" }` names parts or learned tensors by their paths, from the block in which it stands; each `*` stands for any text. What lies at such a path, and below it, is left as it is when the model is trained. A path that means nothing is a mistake.',
  },
  "bad-stored": {
    severity: "error",
    cause: "text",
    summary: "Weights can't be stored as they are asked to be.",
    explanation:
      '`stored { as: int8 }` says how the learned matrices of a block, and of all blocks in it, are stored: as `f32`, `f16` or `int8`. An adapter says it of the parts that it is put around: `with Quantize(int8, on: "mixer")`. Of `int8`, the elements of a row that share a scale can be given as `group`, which must divide a row. Vectors, such as the weights of norms and biases, stay as they are; where there is nothing else, it is a mistake.',
  },
  "bad-rename": {
    severity: "error",
    cause: "text",
    summary: "A renaming of weights is not a pattern on both sides.",
    explanation:
      '`weights { "module.v.blocks.*" -> "blocks.*" }` turns names of a checkpoint into names of the model. Each `*` on the left stands for the same text as the one at its place on the right, so both sides have equally many.',
  },
  "bad-generate": {
    severity: "error",
    cause: "text",
    summary: "A `generate` names entries or options that do not exist.",
    explanation:
      '`generate text from prefill then step { stop: ["<|endoftext|>"], limit: 64 }` runs the first entry once and the second for every token after that; the second continues the first. Options are `stop`, a list of strings, `limit`, a number of tokens, and `prompt`, what the model is asked where a user asks nothing.',
  },
  "bad-extension": {
    severity: "error",
    cause: "text",
    summary: "A block extends something that can't be extended.",
    explanation:
      "`model X extends Y(depth: 6) { … }` takes a block of the same kind with its arguments, and adds members or replaces those of the same name.",
  },
} satisfies CodeTable;
