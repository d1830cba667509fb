"""Reads the template as plain data: short tags in their long form, loops written out."""

import copy
import json
import pathlib
import re

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "infra" / "template.yaml"
DEFINITIONS = ROOT / "statemachines" / "asl"

FUNCTION = "AWS::Serverless::Function"
MACHINE = "AWS::Serverless::StateMachine"


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short tags; dates stay text, as CloudFormation takes them."""


def _tag(loader, name, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if name in ("Ref", "Condition"):
        return {name: value}
    if name == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {f"Fn::{name}": value}


_Loader.add_multi_constructor("!", _tag)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", yaml.SafeLoader.construct_yaml_str)


def load(path=TEMPLATE):
    """The template with its loops, as it is sent."""
    return yaml.load(pathlib.Path(path).read_text(), _Loader)


def expand(template):
    """A copy without loops, as `AWS::LanguageExtensions` would make it."""
    template = copy.deepcopy(template)
    for section in ("Resources", "Outputs", "Conditions"):
        if section in template:
            template[section] = _unroll(template[section])
    return template


def _unroll(section):
    plain = {}
    for key, value in section.items():
        if not key.startswith("Fn::ForEach::"):
            plain[key] = value
            continue
        variable, words, body = value
        for word in words:
            plain.update(_unroll(_put(body, variable, word)))
    return plain


def _put(value, variable, word):
    """Puts a word where a loop names its variable."""
    if isinstance(value, dict):
        if value == {"Ref": variable}:
            return word
        if set(value) == {"Fn::Sub"} and isinstance(value["Fn::Sub"], str):
            text = _name(value["Fn::Sub"], variable, word)
            return text if "${" not in text else {"Fn::Sub": text}
        return {_name(key, variable, word): _put(item, variable, word) for key, item in value.items()}
    if isinstance(value, list):
        return [_put(item, variable, word) for item in value]
    return _name(value, variable, word) if isinstance(value, str) else value


def _name(text, variable, word):
    plain = re.sub(r"[^A-Za-z0-9]", "", word)
    return text.replace("${" + variable + "}", word).replace("&{" + variable + "}", plain)


def definition(resource, folder=None):
    """The definition of a state machine."""
    return json.loads(((folder or TEMPLATE.parent) / resource["Properties"]["DefinitionUri"]).read_text())


def of_type(template, kind):
    """Resources of a type, by name."""
    return {name: r for name, r in template["Resources"].items() if r["Type"] == kind}


def states(machine):
    """Every state of a definition with its name, those inside Map and Parallel too."""
    for name, state in machine["States"].items():
        yield name, state
        inner = [state[key] for key in ("ItemProcessor", "Iterator") if key in state] + state.get("Branches", [])
        for sub in inner:
            yield from states(sub)
