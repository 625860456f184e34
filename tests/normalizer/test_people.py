import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalizer.people import (
    PersonalKind,
    find,
    mask,
    mask_address,
    mask_name,
    mask_names,
    mask_phone,
    name_in,
    valid_id_card,
    valid_phone,
    valid_uscc,
)


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        pytest.param("电话13812345678谢谢", PersonalKind.PHONE, "13812345678", id="mobile"),
        pytest.param("１３８１２３４５６７８", PersonalKind.PHONE, "13812345678", id="wide digits"),
        pytest.param("138-1234-5678", PersonalKind.PHONE, "13812345678", id="dashes"),
        pytest.param("+86 138 1234 5678", PersonalKind.PHONE, "13812345678", id="country code"),
        pytest.param("座机0538-8234567", PersonalKind.LANDLINE, "0538-8234567", id="landline"),
        pytest.param(
            "身份证11010519491231002x", PersonalKind.ID_CARD, "11010519491231002x", id="ID with small x"
        ),
        pytest.param(
            "卡号6222021234567890128", PersonalKind.BANK_CARD, "6222021234567890128", id="bank card"
        ),
        pytest.param("车牌鲁JA1234", PersonalKind.PLATE, "鲁JA1234", id="plate"),
        pytest.param("鲁JD12345新能源", PersonalKind.PLATE, "鲁JD12345", id="new-energy plate"),
        pytest.param("a.b@qq.com", PersonalKind.EMAIL, "a.b@qq.com", id="mail"),
        pytest.param("代码91110000802100433B", PersonalKind.USCC, "91110000802100433B", id="organisation"),
    ],
)
def test_personal_data_is_found(text, kind, value):
    assert [(found.kind, found.value) for found in find(text)] == [(kind, value)]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("单号37092611240001233", id="case number"),
        pytest.param("11010519491231002A", id="ID of wrong form"),
        pytest.param("110105194912310021", id="ID with wrong check digit"),
        pytest.param("订单138123456789", id="twelve digits"),
        pytest.param("120平米房子", id="number in words"),
        pytest.param("91110000802100433C", id="code with wrong check digit"),
    ],
)
def test_other_numbers_are_left_alone(text):
    assert find(text) == ()


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("请打13812345678", "请打138****5678"),
        ("11010519491231002X", "1101**********002X"),
        ("zhang@qq.com", "z***@qq.com"),
        ("鲁JA1234", "鲁J***34"),
        ("6222021234567890128", "****0128"),
        ("91110000802100433B", "91110000802100433B"),
        ("没有", "没有"),
    ],
)
def test_masking_hides_what_is_personal(text, masked):
    assert mask(text) == masked


@given(
    st.lists(
        st.sampled_from(["13812345678", "，电话", "11010519491231002X", "李四", "0538-8234567", "123"]),
        max_size=8,
    )
)
def test_nothing_masked_is_found_again(pieces):
    hidden = {PersonalKind.PHONE, PersonalKind.ID_CARD, PersonalKind.LANDLINE}
    assert not {found.kind for found in find(mask("，".join(pieces)))} & hidden


@pytest.mark.parametrize(
    ("name", "masked"), [("张三", "张*"), ("张三丰", "张**"), ("欧阳小明", "欧阳**"), ("李", "李")]
)
def test_names_keep_the_surname(name, masked):
    assert mask_name(name) == masked


def test_phone_and_address_keep_what_helps():
    assert mask_phone("13812345678") == "138****5678"
    assert mask_address("岱岳区粥店街道人民路88号3单元") == "岱岳区粥店街道人民路***"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("我叫张三", "张三"),
        ("李师傅，138 1234 5678", "李师傅"),
        ("张三 13812345678", "张三"),
        ("人民路井盖丢了", None),
    ],
)
def test_a_form_of_address_is_heard(text, name):
    assert name_in(text) == name


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("138 1234 5678", "13812345678"),
        ("0538-8234567", "05388234567"),
        ("23812345678", None),
        ("1381234567", None),
    ],
)
def test_a_phone_is_valid_or_not(text, phone):
    assert valid_phone(text) == phone


def test_check_digits_of_the_norms():
    assert valid_id_card("11010519491231002X")
    assert not valid_id_card("110105194912310020")
    assert valid_uscc("9144030071526726XG")
    assert not valid_uscc("9144030071526726XH")


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("邻居王小明占用楼道", "邻居王**占用楼道"),
        ("对方叫张三，欠我工资", "对方叫张*，欠我工资"),
        ("物业的李建国经理不管", "物业的李**经理不管"),
        ("欧阳娜娜女士家的狗", "欧阳**女士家的狗"),
        ("当事人：陈某", "当事人：陈某"),
        ("邻居把车停在路口", "邻居把车停在路口"),
        ("东岳大街88号门前有个大洞", "东岳大街88号门前有个大洞"),
        ("小区门口叫卖声很大", "小区门口叫卖声很大"),
        ("业主都不同意涨价", "业主都不同意涨价"),
        ("居民用水停了三天", "居民用水停了三天"),
        ("房东不退押金", "房东不退押金"),
        ("村民都吃这口井的水", "村民都吃这口井的水"),
        ("老板欠薪三个月", "老板欠薪三个月"),
        ("司机经常闯红灯", "司机经常闯红灯"),
    ],
)
def test_names_given_as_names_are_masked_and_other_words_are_not(text, masked):
    assert mask_names(text) == masked
