"""A linear n-gram baseline: what a model has to beat for its score to mean something.

    python bench/baseline.py --train train.csv --test test.csv [--text-column text --label-column label]

Prints one line of JSON with accuracy and macro F1 on the test rows.
"""

import argparse
import json

import rows
import sklearn
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.pipeline import make_pipeline


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", required=True)
    parser.add_argument("--test", required=True)
    parser.add_argument("--text-column", default="text")
    parser.add_argument("--label-column", default="label")
    parser.add_argument("--ngrams", type=int, default=2, help="longest sequence of words that is a feature")
    asked = parser.parse_args()

    train_texts, train_labels = zip(*rows.read_csv(asked.train, asked.text_column, asked.label_column))
    test_texts, test_labels = zip(*rows.read_csv(asked.test, asked.text_column, asked.label_column))
    # All settings are scikit-learn's own, but for the number of steps, which its default cuts short.
    model = make_pipeline(TfidfVectorizer(ngram_range=(1, asked.ngrams)), LogisticRegression(max_iter=1000))
    model.fit(train_texts, train_labels)
    predicted = model.predict(test_texts)
    result = {
        "baseline": f"TF-IDF of 1 to {asked.ngrams} words, logistic regression",
        "train_rows": len(train_texts),
        "test_rows": len(test_texts),
        "test_accuracy": accuracy_score(test_labels, predicted),
        "test_f1": f1_score(test_labels, predicted, average="macro"),
        "scikit_learn": sklearn.__version__,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
