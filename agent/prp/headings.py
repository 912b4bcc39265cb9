"""Which part of a PRP a heading names: the template's words and those that people use instead."""

import re
import unicodedata
from enum import StrEnum
from functools import lru_cache


class Part(StrEnum):
    """A part of the document."""

    METADATA = "metadata"
    GOAL = "goal"
    WHY = "why"
    WHAT = "what"
    CRITERIA = "criteria"
    CONTEXT = "context"
    CURRENT_TREE = "current tree"
    DESIRED_TREE = "desired tree"
    GOTCHAS = "gotchas"
    TESTS = "tests"
    BLUEPRINT = "blueprint"
    TASKS = "tasks"
    TASK = "task"
    PATTERNS = "patterns"
    VALIDATION = "validation"
    LEVEL = "level"
    CHECKLIST = "checklist"
    ANTI_PATTERNS = "anti-patterns"
    CONFIDENCE = "confidence"
    RESULTS = "results"
    """What came of an earlier run: nothing in it is left to do or to prove."""


TASK_PARTS = (Part.TASK, Part.TASKS)
"""Parts with tasks in them."""


def unaccented(words: str) -> str:
    """Return words without accents: `Critérios` is often written `Criterios`."""
    if words.isascii():
        return words
    parts = unicodedata.normalize("NFD", words)
    return unicodedata.normalize("NFC", "".join(c for c in parts if not unicodedata.combining(c)))


_NUMBER = re.compile(r"^(?:\(?\d+(?:\.\d+)*[.):]?|[ivx]+[.)])\s+")
OTHER_CRITERIA = r"critérios de (?:sucesso|aceitação|aceite|qualidade|conclusão)|(?:erfolgs|akzeptanz|abnahme)kriterien|critères (?:de (?:succès|réussite)|d['’]acceptation)|criterios de (?:éxito|aceptación|calidad|salida|qa|\W?listo)|criteri di (?:successo|accettazione)|критерии (?:успеха|при[её]мки)|成功标准|验收标准|成功基準|受け入れ基準|성공 기준"  # fmt: skip
"""What success criteria are called in other languages, with their accents."""
_RULES: tuple[tuple[Part, str], ...] = (
    (Part.CHECKLIST, r"(?!开始前|实施前)[^\W\d_]{0,6}(?:检查清单|チェックリスト|체크리스트)"),
    (Part.GOAL, r"context (?:&|and) (?:objectives?|goals?)\b"),
    (Part.CONTEXT, r"上下文|コンテキスト|컨텍스트|(?:参考|相关)(?:资料|文献|文档|资源|文件)|(?!更新|编写|完善|生成|撰写)[^。：:]{0,40}文档$|研究(?:发现|结果)$|参考資料|関連(?:資料|ファイル)|(?:참고|관련) ?(?:자료|문서|파일)"),
    (Part.TASKS, r"任务(?:列表|清单|分解)|(?:实施|实现|执行)(?:步骤|计划|顺序)|実装(?:手順|ステップ|計画)|タスク一覧|구현 ?(?:순서|단계|계획)|작업 ?목록"),
    (Part.BLUEPRINT, r"(?:实现|实施)蓝图|実装ブループリント|구현 ?청사진"),
    (Part.VALIDATION, r"验证|検証|검증"),
    (Part.LEVEL, r"stage \d+\b.*\b(?:validation|testing)\b|(validation )?(level|loop|gate|nível|stufe|ebene|niveau|nivel|livello|уровень) \d"),
    (Part.ANTI_PATTERNS, r"anti.?patterns?\b"),
    (Part.CONFIDENCE, r"(confidence|scoring rationale|quality score|prp score)\b|.*\bconfidence score"),
    (Part.RESULTS, r"(completed work|work completed|work done so far)( analysis| summary)?$|(validation|verification|test) results$|(post.?implementation|pós.?implementação)( notes| report| results)?$"),
    (Part.CURRENT_TREE, r"current (codebase|code|project|directory|file|tree|structure|state of)\b(?! (?:analysis|issues|problems))"),
    (Part.DESIRED_TREE, r"ending context\b|(desired|target|new|proposed|final) (codebase|code|project|directory|file|tree|structure)\b"),
    (Part.GOTCHAS, r"(known |critical |common |important )*(gotchas?|pitfalls?|caveats?|library quirks?)\b"),
    (Part.TASKS, r"(?:implementation )?tasks? check-?list\b"),
    (Part.CHECKLIST, r"(?!pre-?(?!launch|deploy|release|merge|commit)|before |prerequisite|setup |(?:required )?credentials? )(deployment|release|rollout|final|completion|validation|quality|pre-?launch)?\s*([\w-]+ ){0,3}(checklist|checkliste|lista de (verificación|verificação))\b"),
    (Part.CRITERIA, rf"((\w+ )?(success|exit|completion|qa|readiness) (criteria|metrics|definition)(?! (?:scor|achieved))|success (validation|indicators)\b|acceptance( criteria| tests)?|done (when|means)|definition of done|dod|{OTHER_CRITERIA})\b"),
    (Part.CONTEXT, r"(all )?(needed |required |critical |key |essential |important |relevant |implementation |technical )?(context\b|documentation( (&|and) (references?|resources|context)\b.*|( references?| resources| links)?$)|(external |related |key |code(base)? )?references?\b|context references|(\w+ )?context engineering references?|research / related materials|(mandatory|required|must) read(ing)?\b|(relevant|related) (files|documents?|documentation|docs|prps|work)\b|cross.references?\b|key files( summary| to (reference|read))?$|((critical|important) )?files to (reference|read|study|review)\b|(key )?file locations( summary)?$|(?:code|internal|file) dependencies$|technical (implementation )?references?$|external (resources|documentation|research)\b|(existing |current )?codebase (context|patterns)\b|(research )?sources$|((helpful|external|useful|additional|learning) )?resources$|documentation urls?$|research (sources|references|documents|files|notes|findings|summary)\b|((benötigter|nötiger) )?kontext\b|contexte\b|contexto\b|contesto\b|контекст\b|(referenzen|références|referencias|referências|riferimenti|ссылки)$)"),
    (Part.VALIDATION, r"(validation|verification|testing)( &| and)? ?(loops?|gates?|commands?|strategy|steps?|levels?|plan|criteria|approach)?$|((completion|final|overall|acceptance) )?(validation|verification)\b(?! tasks?\b)|([\w-]+ ){1,3}validation framework$|testing (?:&|and) (?:validation|verification)$|quality gates?|test plan|(validierung|(über)?prüfung|verifikation|vérification|validación|verificación|validação|verificação|convalida|verifica|проверка)\b(?! tasks?\b)"),
    (Part.TESTS, r"(test(ing)? (specifications?|cases?|data|requirements?)|tests? to write|(unit|integration|e2e|end.to.end|performance|load) tests?( required)?$|performance requirements$|tdd\b)"),
    (Part.CRITERIA, r"(?:phase|stage|milestone|sprint) \d{1,2} (?:completion|success|acceptance|exit) (?:definition|criteria)\b"),
    (Part.WHAT, r"(?:(?:phase|stage|week|sprint|milestone) \d{1,2}|final|key|project) deliverables\b"),
    (Part.TASK, r"(\[.?.?.?\] )?(task|step|phase|stage|milestone|tarefa|fase|etapa|aufgabe|schritt|tâche|étape|tarea|paso|passo|attività|задача|шаг|этап|任务|步骤|阶段|タスク|ステップ|단계)s?[ -]?#?\d"),
    (Part.TASK, r"[a-h]\d{1,2}: \S"),
    (Part.TASK, r"(p\d+(\.m\d+)?(\.t\d+)?(\.s\d+)?|t\d{2,4})\b[ :.–—-]"),
    (Part.TASK, r"`?(create|modify|update|add|delete|remove|rename|move|extend|replace|refactor)`? `?[\w@.\-]*[/.][\w@./\-\[\]]+`?"),
    (Part.TASKS, r"list of tasks|((implementation|development|detailed|ordered|low.level|verification|validation|bugfix|work|execution) )?(tasks\b(?! spec)|task( (list|breakdown|overview|plan|order|sequence|details|definitions?|structure)s?\b|$)|step.by.step (tasks|instructions|plan|guide|implementation)|work items\b|to-?do( list)?$)|((?:comprehensive|detailed|phased|overall) )?(implementation|migration|execution|development|refactoring) (steps|plan|phases|tasks|order|sequence|roadmap|breakdown|outline)\b|(task |\w+ )?implementation order\b|(tarefas|aufgaben(liste)?|umsetzungsschritte|tâches|tareas|attività|задачи|タスク|작업)\b|(?:next|remaining|upcoming|pending|open|outstanding) (?:(?:development|implementation) )?(?:tasks|steps to (?:do|implement))$"),
    (Part.BLUEPRINT, r"(implementation|technical) (blueprint|details|approach|design)|blueprint\b|execution plan|umsetzung(splan)?\b|plan d['’]implémentation|plan de (implementación|implementação)|mise en œuvre|piano di implementazione|план реализации"),
    (Part.PATTERNS, r"(implementation )?patterns?( to (mirror|follow))?\b|.*+(?<=\bpatterns)$|(per.task )?pseudo.?code|pseudoc[óo]digo\b|code (examples|patterns)"),
    (Part.METADATA, r"metadata\b|document (info|metadata)|prp (info|metadata)"),
    (Part.GOAL, r"(feature |product |project |outcome ?/ ?)?(goals?|objectives?|purpose|overview|summary|objetivos?|ziele?|zielsetzung|zweck|zusammenfassung|überblick|objectifs?|résumé|aperçu|propósito|resumen|resumo|obiettivi|obiettivo|цели|цель|目标|目的|目標|목표|executive summary|mission|problem statement)( statement)?\b|feature( (statement|description|request))?$"),
    (Part.WHY, r"why\b|(business value|motivation|rationale|background|justification|porquê|por ?qu[eé]|warum|hintergrund|beweggrund|pourquoi|justification|motivación|motivação|perché|зачем|为什么)\b"),
    (Part.WHAT, r"what\b|(requirements?|scope|deliverables?|functional requirements|technical requirements|o quê|anforderungen|umfang|exigences|périmètre|requisitos|requisiti|alcance|escopo|требования|什么)\b|(was|quoi|qué|cosa|что)$"),
    (Part.CONTEXT, r"(?!(?:update|fix|check|verify|remove|replace|migrate|rename|clean|add|create|validate)\b)(?:appendix(?: \w)?: )?(?:[\w&-]+ ){1,3}(?:references|files (?:referenced|to reference))$"),
)  # fmt: skip
_EMPHASIS = re.compile(r"[*`]")
_UNDERLINED = re.compile(
    r"(?<![\w/])(?P<marks>_{1,3})(?=[^\s_])(?P<words>[^_]+)(?P=marks)(?![\w/])"
)
_NO_WORD = re.compile(r"^[^\w\[(]+")
# One expression that tries the rules in their order: twenty calls a heading cost more. It is for
# words in lower case, which takes less time than to try whatever the case.
_ANY = re.compile(
    unaccented("|".join(f"(?P<rule{place}>{pattern})" for place, (_, pattern) in enumerate(_RULES)))
)
_PARTS = {f"rule{place}": part for place, (part, _) in enumerate(_RULES)}


@lru_cache(maxsize=1024)
def normalise(words: str) -> str:
    """Return a heading without emoji, numbers, marks and parentheses."""
    # An underscore that is not one of a pair around words is part of a name.
    if "*" in words or "`" in words:
        words = _EMPHASIS.sub("", words)
    if "_" in words:
        words = _UNDERLINED.sub(r"\g<words>", words)
    if not words[:1].isalnum():
        words = _NO_WORD.sub("", words)
    if words[:1].isdigit() or words.startswith(("(", "i", "v", "x")):
        words = _NUMBER.sub("", words)
    return " ".join(words.split()).strip(" :-–—")


@lru_cache(maxsize=1024)
def part_of(words: str) -> Part | None:
    """Return which part a heading names, None where it is none that we know."""
    plain = normalise(words)
    if "[" in words and _BOX.match(words.strip()):
        plain = words.strip()
    found = _ANY.match(unaccented(plain).lower())
    return _PARTS[found.lastgroup] if found and found.lastgroup else None


_BOX = re.compile(r"\[.{1,3}\]")
